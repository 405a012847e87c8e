/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The description of a VM at its limits: vm_create() takes what is just right, and refuses what is
 * wrong by one, with the reason. The image's header is checked field by field.
 */
#include "frame.h"
#include "kernel/loader.h"
#include "kernel/string.h"
#include "machine.h"
#include "mm/bits.h"
#include "suite/run.h"
#include "suite/suite.h"

#define RAM_MOST (GUEST_ARENA_BASE - GUEST_RAM_BASE)

/* --- the image --- */

enum field {
	MAGIC,
	ARCH,
	ABI,
	IMAGE_BYTES,
	MEMORY_BYTES,
	ENTRY,
};

/* What a field is set to: a number, and what it is relative to. */
enum base {
	ITSELF, /* its correct value */
	NUMBER,
	FILE,   /* the length of the file */
	IMAGE,  /* image_bytes */
	MEMORY, /* memory_bytes */
};

static const struct row {
	const char *name;
	enum field field;
	enum base base;
	int64_t plus;
	const char *why;    /* NULL: it is correct */
	uint64_t ram_bytes; /* 0: RAM_MOST */
} rows[] = {
	{"magic.plus-1", MAGIC, ITSELF, 1, "no guest image", 0},
	{"magic.minus-1", MAGIC, ITSELF, -1, "no guest image", 0},
	{"magic.high-byte", MAGIC, ITSELF, INT64_C(1) << 56, "no guest image", 0},
	{"magic.bit-32", MAGIC, ITSELF, INT64_C(1) << 32, "no guest image", 0},
	{"arch.plus-1", ARCH, ITSELF, 1, "image built for another architecture", 0},
	{"arch.minus-1", ARCH, ITSELF, -1, "image built for another architecture", 0},
	{"arch.0", ARCH, NUMBER, 0, "image built for another architecture", 0},
	{"abi.plus-1", ABI, ITSELF, 1, "image built for another guest ABI", 0},
	{"abi.minus-1", ABI, ITSELF, -1, "image built for another guest ABI", 0},
	{"image-bytes.file", IMAGE_BYTES, FILE, 0, NULL, 0},
	{"image-bytes.file-plus-1", IMAGE_BYTES, FILE, 1, "image truncated", 0},
	{"image-bytes.header-minus-1", IMAGE_BYTES, NUMBER, sizeof(struct guest_header) - 1,
         "image sizes make no sense", 0},
	{"image-bytes.0", IMAGE_BYTES, NUMBER, 0, "image sizes make no sense", 0},
	{"image-bytes.huge", IMAGE_BYTES, NUMBER, -1, "image truncated", 0},
	{"memory-bytes.image-minus-1", MEMORY_BYTES, IMAGE, -1, "image sizes make no sense", 0},
	{"memory-bytes.most-plus-1", MEMORY_BYTES, NUMBER, (int64_t)RAM_MOST + 1,
         "image larger than guest memory can be", 0},
	{"memory-bytes.huge", MEMORY_BYTES, NUMBER, -1, "image larger than guest memory can be", 0},
	{"memory-bytes.ram", MEMORY_BYTES, NUMBER, 0x100000, NULL, 0x100000},
	{"memory-bytes.ram-plus-1", MEMORY_BYTES, NUMBER, 0x100001,
         "image larger than the guest's memory", 0x100000},
	{"entry.itself", ENTRY, ITSELF, 0, NULL, 0},
	{"entry.header-minus-1", ENTRY, NUMBER, sizeof(struct guest_header) - 1,
         "entry outside the image", 0},
	{"entry.0", ENTRY, NUMBER, 0, "entry outside the image", 0},
	{"entry.end", ENTRY, IMAGE, 0, "entry outside the image", 0},
	{"entry.end-plus-1", ENTRY, IMAGE, 1, "entry outside the image", 0},
	{"entry.huge", ENTRY, NUMBER, -1, "entry outside the image", 0},
};

static uint64_t value_for(const struct row *row, const struct guest_header *h, uint64_t itself,
                          size_t file)
{
	switch (row->base) {
	case ITSELF:
		return itself + (uint64_t)row->plus;
	case FILE:
		return file + (uint64_t)row->plus;
	case IMAGE:
		return h->image_bytes + (uint64_t)row->plus;
	case MEMORY:
		return h->memory_bytes + (uint64_t)row->plus;
	default:
		return (uint64_t)row->plus;
	}
}

static void spoil(struct guest_header *h, const struct row *row, size_t file)
{
	switch (row->field) {
	case MAGIC:
		h->magic = value_for(row, h, h->magic, file);
		break;
	case ARCH:
		h->arch = (uint32_t)value_for(row, h, h->arch, file);
		break;
	case ABI:
		h->abi = (uint32_t)value_for(row, h, h->abi, file);
		break;
	case IMAGE_BYTES:
		h->image_bytes = value_for(row, h, h->image_bytes, file);
		break;
	case MEMORY_BYTES:
		h->memory_bytes = value_for(row, h, h->memory_bytes, file);
		break;
	default:
		h->entry = value_for(row, h, h->entry, file);
	}
}

static void check_header(struct suite_run *run, const void *data)
{
	static uint64_t copy[32768];
	const struct row *row = data;
	enum guest_arch arch = guest_arch_of(machine_arch);
	struct guest_header header;
	struct guest_image image;
	const char *wrong;

	if (!guest_image_find("hello", &image) || image.bytes > sizeof(copy)) {
		suite_fail(run, "no image that fits");
		return;
	}
	memcpy(copy, image.start, image.bytes);
	spoil((struct guest_header *)copy, row, image.bytes);
	image.start = copy;
	wrong = guest_image_check(&image, arch, row->ram_bytes != 0 ? row->ram_bytes : RAM_MOST,
	                          &header);
	if ((wrong == NULL) != (row->why == NULL) ||
	    (wrong != NULL && memcmp(wrong, row->why, strlen(row->why)) != 0))
		suite_fail(run, "expected \"%s\", got \"%s\"", row->why != NULL ? row->why : "-",
		           wrong != NULL ? wrong : "-");
}

/* A file of n bytes. */
static void check_length(struct suite_run *run, const void *data)
{
	static const uint8_t zeros[sizeof(struct guest_header)];
	const struct guest_image image = {"short", zeros, *(const size_t *)data};
	struct guest_header header;
	const char *wrong = guest_image_check(&image, guest_arch_of(machine_arch), 0, &header);
	const char *why = image.bytes < sizeof(header) ? "image truncated: shorter than its header"
	                                               : "no guest image: wrong magic";

	if (wrong == NULL || strcmp(wrong, why) != 0)
		suite_fail(run, "%zu bytes: got \"%s\"", image.bytes, wrong != NULL ? wrong : "-");
}

static const size_t bytes_0 = 0, bytes_39 = sizeof(struct guest_header) - 1,
		    bytes_40 = sizeof(struct guest_header);

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "create.image.%s", rows[index].name);
	d->c.run = check_header;
	d->c.data = &rows[index];
	return true;
}

/* --- the VM --- */

static void with_8_vcpus(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->vcpus = VM_VCPUS;
}

static void with_9_vcpus(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->vcpus = VM_VCPUS + 1;
}

static void with_too_much_ram(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->ram_bytes = RAM_MOST + PAGE;
}

static void with_overlapping_areas(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->areas[0] = (struct vm_area){mm_gpa_at(ARENA), 2 * PAGE, VM_LAZY, MM_RW, 0};
	config->areas[1] = (struct vm_area){mm_gpa_at(ARENA + PAGE), PAGE, VM_LAZY, MM_RW, 0};
}

static void with_area_in_ram(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->areas[0] = (struct vm_area){mm_gpa_at(GUEST_RAM_BASE), PAGE, VM_LAZY, MM_RW, 0};
}

/* One area of each backing, with each permission, and with large leaves where there are some. */
static void with_four_areas(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->areas[0] = (struct vm_area){mm_gpa_at(ARENA), MIB2, VM_LAZY, MM_RW, 1};
	config->areas[1] = (struct vm_area){mm_gpa_at(ARENA + MIB2), MIB2, VM_POPULATED, MM_R, 1};
	config->areas[2] = (struct vm_area){mm_gpa_at(ARENA + 2 * MIB2), MIB2, VM_LINEAR, MM_R, 1};
	config->areas[3] =
		(struct vm_area){mm_gpa_at(ARENA + 3 * MIB2), PAGE, VM_POPULATED, MM_RW, 1};
}

static bool four_areas(struct suite_run *run)
{
	unsigned large = suite_geometry()->npt.max_leaf >= 1 ? 1 : 0;
	static const enum mm_perm perms[] = {MM_RW, MM_R, MM_R, MM_RW};

	for (unsigned i = 0; i < 4; i++) {
		uint64_t size = MM_LEVEL_SIZE(i < 3 ? large : 0);
		struct mm_aspace_translation t;
		enum mm_error error =
			mm_aspace_translate(&run->vm->as, mm_gpa_at(ARENA + i * MIB2), &t);

		if (error != MM_OK)
			return suite_fail(run, "area %u: %s", i, mm_error_name(error));
		if (t.page_size != size || t.perm != perms[i])
			return suite_fail(run, "area %u: leaf of %" PRIu64 " bytes, %s", i,
			                  t.page_size, mm_perm_name(t.perm));
	}
	return true;
}

/* RAM is whole pages, and not less than was asked for. */
static void with_odd_ram(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->ram_bytes = MIB(1) + 1;
}

static bool ram_is_rounded(struct suite_run *run)
{
	uint64_t at = GUEST_INFO_BASE + offsetof(struct guest_info, ram_bytes), bytes = 0;

	if (mm_aspace_load(&run->vm->as, mm_gpa_at(at), 8, &bytes) != MM_OK ||
	    bytes != MIB(1) + PAGE)
		return suite_fail(run, "%" PRIu64 " bytes of RAM", bytes);
	return true;
}

/* --- frames --- */

/* With a limit of n frames the VM is created, and with one less it is not. */
static void check_limit(struct suite_run *run, const void *data)
{
	static struct vm vm;
	struct vm_config config = {.name = "limit", .geometry = suite_geometry()};
	uint64_t frames;

	(void)data;
	if (!guest_image_find("hello", &config.image) || !vm_create(&vm, run->host, &config)) {
		suite_fail(run, "no VM: %s", vm.error);
		return;
	}
	frames = vm.frames.taken;
	(void)vm_destroy(&vm);
	if (vm.frames.taken != 0)
		suite_fail(run, "%" PRIu64 " frames are left", (uint64_t)vm.frames.taken);
	for (unsigned less = 0; less < 8; less++) {
		config.frame_limit = frames - less;
		if (vm_create(&vm, run->host, &config)) {
			(void)vm_destroy(&vm);
			if (less != 0)
				suite_fail(run, "created with %u frames too few", less);
		} else if (less == 0) {
			suite_fail(run, "not created with just enough frames: %s", vm.error);
		}
		if (vm.frames.taken != 0)
			suite_fail(run, "%" PRIu64 " frames are left", (uint64_t)vm.frames.taken);
	}
}

/* The tags of VMs at the same time differ, and none is 0 where the machine has tags. */
static void check_tags(struct suite_run *run, const void *data)
{
	static struct vm vms[3];
	struct vm_config config = {.name = "tags", .geometry = suite_geometry()};
	unsigned made = 0;

	(void)data;
	if (!guest_image_find("hello", &config.image))
		panic("no guest hello");
	while (made < MM_ARRAY_SIZE(vms) && vm_create(&vms[made], run->host, &config))
		made++;
	for (unsigned i = 0; i < made && run->host->caps.max_tag != 0; i++) {
		if (vms[i].tag == 0 || vms[i].tag > run->host->caps.max_tag ||
		    mm_aspace_tag(&vms[i].as) != vms[i].tag)
			suite_fail(run, "vm %u has tag %u", i, vms[i].tag);
		if (i > 0 && (vms[i].tag == vms[i - 1].tag || vms[i].tag == vms[0].tag))
			suite_fail(run, "two VMs have tag %u", vms[i].tag);
	}
	while (made > 0)
		(void)vm_destroy(&vms[--made]);
}

static const struct suite_case cases[] = {
	{.name = "create.image.0-bytes", .run = check_length, .data = &bytes_0},
	{.name = "create.image.39-bytes", .run = check_length, .data = &bytes_39},
	{.name = "create.image.40-bytes", .run = check_length, .data = &bytes_40},
	{.name = "create.frames", .run = check_limit},
	{.name = "create.tags", .run = check_tags},
	{
		.name = "create.vcpus.most",
		.script = SCRIPT(SPIN(1)),
		.configure = with_8_vcpus,
		.no_vm = NULL,
		.end = SUITE_REFUSED,
	},
	{
		.name = "create.vcpus.too-many",
		.script = SCRIPT(SPIN(1)),
		.configure = with_9_vcpus,
		.no_vm = "too many vCPUs",
	},
	{
		.name = "create.ram.too-much",
		.script = SCRIPT(SPIN(1)),
		.configure = with_too_much_ram,
		.no_vm = "guest RAM: out of range",
	},
	{
		.name = "create.ram.odd",
		.configure = with_odd_ram,
		.script = SCRIPT(READ(8, GUEST_RAM_BASE + MIB(1), 0)),
		.verify = ram_is_rounded,
	},
	{
		.name = "create.areas.overlap",
		.script = SCRIPT(SPIN(1)),
		.configure = with_overlapping_areas,
		.no_vm = "arena: ",
	},
	{
		.name = "create.areas.in-ram",
		.script = SCRIPT(SPIN(1)),
		.configure = with_area_in_ram,
		.no_vm = "arena: ",
	},
	{
		.name = "create.areas.four",
		.configure = with_four_areas,
		.script = SCRIPT(WRITE(8, ARENA, 1), READ(8, ARENA + MIB2, 0),
                                 READ(8, ARENA + 2 * MIB2, 0), WRITE(8, ARENA + 3 * MIB2, 1)),
		.uncounted = true,
		.verify = four_areas,
	},
};

const struct suite_subject suite_create = {
	.name = "create",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "create.image.",
};
