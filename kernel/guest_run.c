/*
 * Running one guest alone. guest=NAME is a payload linked in; guest=image, or no guest= at all
 * beside an initrd (on UEFI: a file), is the image given at run time. It gets mem= bytes of RAM
 * and a lazily backed arena of 1 GiB.
 */
#include "kernel/guest_run.h"

#include "frame.h"
#include "kernel/scenario.h"
#include "kernel/string.h"
#include "kernel/tap.h"
#include "log.h"

bool guest_wanted(const struct boot_info *info, const struct cmdline *options)
{
	return options->guest[0] != '\0' || info->guest_image.size != 0;
}

static bool find_image(const struct host *host, const struct cmdline *options,
                       struct guest_image *out)
{
	const struct hpa_range *given = &host->boot->guest_image;

	if (options->guest[0] != '\0' && strcmp(options->guest, "image") != 0)
		return guest_image_find(options->guest, out);
	*out = (struct guest_image){"image", frame_ptr(given->start), given->size};
	return given->size != 0;
}

static void run(struct test *t, const struct guest_image *image)
{
	const struct vm_config config = {
		.name = image->name,
		.image = *image,
		.ram_bytes = t->options->mem,
		.areas = {{gpa_at(ARENA), GIB(1), VM_LAZY, MM_RWX, 0}},
		.seed = t->options->seed,
	};
	struct scenario *s = scenario_do(t, &config);

	if (s != NULL)
		expect_exit(t, s);
}

void guest_run(const struct host *host, const struct cmdline *options)
{
	struct test t = {.name = "guest", .host = host, .options = options};
	struct guest_image image;

	tap_plan(1, NULL);
	if (find_image(host, options, &image))
		run(&t, &image);
	else
		test_fail(&t, __FILE__, __LINE__, "guest '%s': there is none", options->guest);
	tap_result(t.failures == 0, t.name, TAP_NORMAL, NULL);
}
