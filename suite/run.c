/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services for a running case: its geometry, its linear memory, and the list of differences that is
 * printed with its result. This file calls no function of the runner.
 */
#include "suite/run.h"

#include "frame.h"
#include "kernel/string.h"
#include "suite/suite.h"

#define LINEAR_ORDER 9U /* 2 MiB */

/* The arena, and the areas that cases put after it. */
#define GPA_BITS_LEAST 36U

static mm_hpa_t linear_memory;
static bool linear_taken;
static const struct virt_geometry *chosen_geometry;

bool suite_choose_geometry(const struct virt_caps *caps, const struct cmdline *options)
{
	for (size_t i = 0; i < caps->geometry_count && chosen_geometry == NULL; i++) {
		const struct virt_geometry *geometry = &caps->geometries[i];

		if (options->geometry[0] != '\0' && strcmp(geometry->name, options->geometry) != 0)
			continue;
		if (mm_npt_gpa_bits(&geometry->npt) >= GPA_BITS_LEAST)
			chosen_geometry = geometry;
	}
	return chosen_geometry != NULL;
}

const struct virt_geometry *suite_geometry(void)
{
	return chosen_geometry;
}

bool suite_linear_take(void)
{
	if (linear_taken)
		return true;
	linear_taken = frame_alloc(LINEAR_ORDER, &linear_memory);
	if (linear_taken)
		memset(frame_ptr(linear_memory), 0, PAGE << LINEAR_ORDER);
	return linear_taken;
}

void suite_linear_give(void)
{
	if (linear_taken)
		frame_free(LINEAR_ORDER, linear_memory);
	linear_taken = false;
}

uint64_t suite_linear_offset(void)
{
	return linear_memory.raw;
}

void *suite_linear_memory(void)
{
	return frame_ptr(linear_memory);
}

bool suite_fail(struct suite_run *run, const char *format, ...)
{
	unsigned n = run->complaints++;
	va_list args;

	if (n >= SUITE_WHYS)
		return false;
	va_start(args, format);
	format_string_v(run->why[n], sizeof(run->why[n]), format, args);
	va_end(args);
	return false;
}

void suite_note_places(struct suite_run *run, const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count && i < SUITE_VCPUS; i++)
		vm_describe_vcpu(&vm->vcpus[i], run->place[i], sizeof(run->place[i]));
}

bool suite_expect_leaves(struct suite_run *run, unsigned level, uint64_t count)
{
	struct mm_aspace_stats stats;

	mm_aspace_get_stats(&run->vm->as, &stats);
	stats.leaves[level] -= run->before.leaves[level];
	if (stats.leaves[level] == count)
		return true;
	return suite_fail(run, "expected %" PRIu64 " leaves of level %u, got %" PRIu64, count,
	                  level, stats.leaves[level]);
}

bool suite_expect_leaf_at(struct suite_run *run, uint64_t gpa, unsigned level)
{
	struct mm_aspace_translation t;
	enum mm_error error = mm_aspace_translate(&run->vm->as, mm_gpa_at(gpa), &t);

	if (error != MM_OK)
		return suite_fail(run, "no mapping at 0x%" PRIx64 ": %s", gpa,
		                  mm_error_name(error));
	if (t.page_size != MM_LEVEL_SIZE(level))
		return suite_fail(
			run, "expected a leaf of %" PRIu64 " bytes at 0x%" PRIx64 ", got %" PRIu64,
			MM_LEVEL_SIZE(level), gpa, t.page_size);
	return true;
}

bool suite_linear_around(struct suite_run *run, uint64_t gpa, unsigned level)
{
	uint64_t host = mm_align_down(linear_memory.raw, MM_LEVEL_SIZE(level));
	uint64_t bytes = level == 0 ? MIB2 : MM_LEVEL_SIZE(level);
	enum mm_error error = mm_aspace_map_linear(
		&run->vm->as, mm_gpa_range(mm_gpa_at(gpa + (host & (GIB(1) - 1))), bytes),
		mm_hpa_at(host), MM_RW, MM_NORMAL, level);

	return error == MM_OK || suite_fail(run, "linear leaf: %s", mm_error_name(error));
}

const struct mm_npt_format *suite_format(const struct host *host)
{
	return chosen_geometry->format != NULL ? chosen_geometry->format : host->caps.format;
}
