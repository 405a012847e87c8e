/* Tags: see tag.h. Bit n of `used` is tag n + 1's. */
#include "kernel/tag.h"

#include "log.h"
#include "mm/bits.h"
#include "spinlock.h"

static struct spinlock lock;
static uint64_t used;

bool tag_take(const struct virt_caps *caps, uint32_t *out)
{
	uint64_t free;

	if (caps->max_tag == 0) {
		*out = 0;
		return true;
	}
	spin_lock(&lock);
	free = ~used;
	if (caps->max_tag < TAGS)
		free &= BIT(caps->max_tag) - 1;
	if (free != 0) {
		*out = mm_ctz64(free) + 1;
		used |= BIT(*out - 1);
	}
	spin_unlock(&lock);
	return free != 0;
}

void tag_give(uint32_t tag)
{
	if (tag == 0)
		return;
	spin_lock(&lock);
	ASSERT(used & BIT(tag - 1));
	used &= ~BIT(tag - 1);
	spin_unlock(&lock);
}
