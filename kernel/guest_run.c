/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The job that runs one guest. guest=NAME is a guest that is linked in. guest=image is the image
 * that was given at run time: an initrd, or on UEFI a file; the same without guest=, if there is
 * such an image. The guest has mem= bytes of RAM and a lazy arena of 1 GiB. `defaults` has the
 * arguments of linked guests.
 */
#include "frame.h"
#include "guests/abi.h"
#include "kernel/job.h"
#include "kernel/nearest.h"
#include "kernel/session.h"
#include "kernel/string.h"
#include "kernel/tap.h"
#include "log.h"

/* The limit of guest time, in seconds. The guest need not make progress. */
#define GUEST_SECONDS 20

/* The arguments are described in the guest's file in guests/. */
static const struct {
	const char *guest;
	uint64_t args[4];
} defaults[] = {
	{"lazy", {LAZY_WRITE, MIB(5), 64, MIB(256)}},
	{"fetch", {0, MIB(16), 64, 0}},
	{"stage1", {0, 3 * MM_PAGE_SIZE, 256, MIB(32)}},
	{"bench", {0, MM_PAGE_SIZE, 64, 0}},
};

static void set_arguments(struct vm_config *config)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(defaults); i++) {
		if (strcmp(defaults[i].guest, config->name) != 0)
			continue;
		memcpy(config->args, defaults[i].args, sizeof(defaults[i].args));
		log_line(LOG_INFO,
		         "guest name=%s args=%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
		         config->name, config->args[0], config->args[1], config->args[2],
		         config->args[3]);
	}
}

const char *guest_conflict(const struct boot_info *info, const struct cmdline *options)
{
	static const char in_suite[] = "guest= runs one guest, test= and list are of the suite: "
				       "give one of them";

	if (options->guest[0] == '\0')
		return NULL;
	if (options->test[0] != '\0' || options->list)
		return in_suite;
	if (strcmp(options->guest, "image") != 0 && info->guest_image.size != 0)
		return "guest= names a built-in guest, and a guest image is given too: leave one "
		       "out, or write guest=image";
	if (strcmp(options->guest, "agent") == 0)
		return "guest=agent carries out a script that only a case of the suite gives it: "
		       "use test=";
	return NULL;
}

static bool wanted(const struct boot_info *info, const struct cmdline *options)
{
	return options->guest[0] != '\0' || info->guest_image.size != 0;
}

static bool find_image(const struct host *host, const struct cmdline *options,
                       struct guest_image *out)
{
	const struct mm_hpa_range *given = &host->boot->guest_image;

	if (options->guest[0] != '\0' && strcmp(options->guest, "image") != 0)
		return guest_image_find(options->guest, out);
	*out = (struct guest_image){"image", frame_ptr(given->start), given->size};
	return given->size != 0;
}

/* Logs why a guest has failed. */
static bool passed(const struct session *s)
{
	const struct vm *vm = &s->vm;

	if (vm_outcome(vm) != VM_EXITED)
		log_line(LOG_QUIET, "failed guest %s: killed, reason=%s", vm->config->name,
		         vm_kill_name(vm->reason));
	else if (vm->exit_status != 0)
		log_line(LOG_QUIET, "failed guest %s: exit status %" PRIu64, vm->config->name,
		         vm->exit_status);
	else if (s->leaked != 0)
		log_line(LOG_QUIET, "failed guest %s: %" PRIu64 " frames leaked", vm->config->name,
		         s->leaked);
	else
		return true;
	return false;
}

static bool run_image(const struct host *host, const struct cmdline *options,
                      const struct guest_image *image)
{
	struct vm_config config = {
		.name = image->name,
		.image = *image,
		.ram_bytes = options->mem,
		.areas = {{mm_gpa_at(GUEST_ARENA_BASE), GIB(1), VM_LAZY, MM_RWX, 0}},
		.seed = options->seed,
		.quiet_s = HANG_NEVER,
		.total_s = GUEST_SECONDS,
	};
	struct session *s;

	if (options->guest[0] != '\0' && strcmp(options->guest, "image") != 0)
		set_arguments(&config);
	s = session_begin(host, &config, false);
	if (s == NULL) {
		log_line(LOG_QUIET, "failed guest %s: %s", image->name, session_error());
		return false;
	}
	session_run(s);
	session_end(s);
	return passed(s);
}

static bool run_named(const struct host *host, const struct cmdline *options)
{
	struct guest_image image;
	struct nearest near;

	if (find_image(host, options, &image))
		return run_image(host, options, &image);
	nearest_begin(&near, options->guest, strlen(options->guest));
	guest_image_nearest(&near);
	nearest_try(&near, "image");
	log_line(LOG_QUIET, "failed guest '%s': there is none%s", options->guest,
	         nearest_text(&near));
	return false;
}

static const char *run(const struct host *host, const struct cmdline *options)
{
	tap_plan(1, NULL);
	tap_result(run_named(host, options), "guest", TAP_NORMAL, NULL);
	return NULL;
}

const struct job job_guest = {wanted, run};
