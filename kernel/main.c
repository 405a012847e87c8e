/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot, from the end of the boot path to power-off.
 */
#include "boot_info.h"
#include "cpu_work.h"
#include "frame.h"
#include "kernel/boot.h"
#include "kernel/cmdline.h"
#include "kernel/emulator.h"
#include "kernel/job.h"
#include "kernel/run.h"
#include "kernel/string.h"
#include "kernel/tap.h"
#include "log.h"
#include "machine.h"
#include "vcpu.h"
#include "wait_limit.h"

static struct cmdline options = {.repeat = 1};

/* Every run ends here, except after a panic. */
_Noreturn static void finish(enum machine_status status)
{
	machine_console_drain();
	while (options.halt)
		machine_relax();
	machine_power_off(status);
}

/* Firmware's data or the command line is invalid. */
_Noreturn static void refuse(const char *what, const char *why)
{
	log_line(LOG_QUIET, "refused %s: %s", what, why);
	tap_plan(0, what);
	tap_fail();
	finish(STATUS_BAD_BOOT);
}

_Noreturn static void no_virtualization(const char *why)
{
	tap_plan(0, why);
	tap_fail();
	finish(STATUS_NO_VIRT);
}

static void take_memory(const struct boot_info *info)
{
	static struct mm_hpa_range ranges[2 * BOOT_REGIONS];
	const char *wrong = memory_map_check(info);

	if (wrong != NULL)
		refuse("memory map", wrong);
	if (!frame_init(ranges, memory_map_usable(info, ranges, MM_ARRAY_SIZE(ranges))))
		refuse("memory map", "no usable RAM");
}

static void read_cmdline(const struct boot_info *info)
{
	char error[CMDLINE_ERROR];
	const char *conflict;

	if (info->cmdline_cut)
		refuse("command line", "too long");
	if (!cmdline_parse(info->cmdline, &options, error))
		refuse("command line", error);
	conflict = guest_conflict(info, &options);
	if (conflict != NULL)
		refuse("command line", conflict);
	if (options.geometry[0] != '\0' && options.test[0] == '\0' && !options.list)
		refuse("command line", "geometry= is for the suite: give test= as well");
	log_level = options.log;
}

/* The suite expects the known deviations of the emulator. The command line may name it. */
static void find_emulator(const struct boot_info *info)
{
	struct machine_signs signs;
	struct fdt fdt;
	bool tree = info->fdt != NULL && fdt_open(&fdt, info->fdt, UINT32_MAX) == FDT_OK;

	if (options.emulator[0] != '\0' && strcmp(options.emulator, "auto") != 0)
		return;
	machine_read_signs(&signs);
	emulator_identify(&signs, tree ? &fdt : NULL, options.emulator, sizeof(options.emulator));
	if (options.emulator[0] != '\0')
		log_line(LOG_INFO, "emulator=%s, by its identification; emulator=none overrides",
		         options.emulator);
}

/* The first extension that this CPU has. Logs for each other one what is missing. */
static const struct virt_ops *find_extension(struct virt_caps *caps)
{
	for (const struct virt_ops *const *ops = virt_candidates; *ops != NULL; ops++) {
		*caps = (struct virt_caps){0};
		if ((*ops)->probe(caps))
			return *ops;
		log_line(LOG_QUIET, "missing extension=%s: %s", (*ops)->name, caps->missing);
	}
	return NULL;
}

/* The argument of enable_cpu(), and its answer. */
struct enabling {
	const struct virt_ops *ops;
	bool done;
	const char *why;
};

static void enable_cpu(void *arg)
{
	struct enabling *e = arg;

	e->done = e->ops->cpu_enable(&e->why);
}

/* On the boot CPU, then on as many others as the command line allows and the machine has. */
static void enable_virtualization(struct host *host)
{
	struct enabling e;
	unsigned wanted = options.smp != 0 ? options.smp : host->boot->cpus;

	host->ops = find_extension(&host->caps);
	if (host->ops == NULL)
		no_virtualization("no usable virtualization extension");
	report_caps(host->ops, &host->caps);

	e = (struct enabling){.ops = host->ops};
	enable_cpu(&e);
	if (!e.done) {
		log_line(LOG_QUIET, "missing extension=%s: %s", host->ops->name, e.why);
		no_virtualization(e.why);
	}
	wanted = wanted < host->boot->cpus ? wanted : host->boot->cpus;
	host->wanted = wanted < MACHINE_MAX_CPUS ? wanted : MACHINE_MAX_CPUS;
	wanted = machine_start_cpus(host->wanted);
	for (host->cpus = 1; host->cpus < wanted; host->cpus++) {
		cpu_work_give(host->cpus, enable_cpu, &e);
		cpu_work_wait(host->cpus);
		if (!e.done) {
			log_line(LOG_QUIET, "cpu %u does not enable %s: %s", host->cpus,
			         host->ops->name, e.why);
			break;
		}
	}
}

static void run_job(const struct host *host)
{
	const struct job *job = &job_demo;
	const char *refused;

	if (job_suite.wanted(host->boot, &options))
		job = &job_suite;
	else if (job_guest.wanted(host->boot, &options))
		job = &job_guest;
	refused = job->run(host, &options);
	if (refused != NULL)
		refuse("command line", refused);
}

static void cpu_is_lost(const char *case_name, const struct wait_limit *limit)
{
	panic_report = run_report_cpus;
	panic("case %s hangs: cpu %u has waited %u s for cpu %u, which does not answer", case_name,
	      limit->self, limit->rounds, limit->cpu);
}

_Noreturn void kernel_main(struct boot_info *info)
{
	static struct host host;

	machine_init(info);
	tap_begin();
	wait_on_lost(cpu_is_lost);
	if (info->error != NULL)
		refuse("firmware data", info->error);
	read_cmdline(info);
	report_boot(info);
	find_emulator(info);
	take_memory(info);

	host.boot = info;
	enable_virtualization(&host);
	run_job(&host);
	finish(tap_end() ? STATUS_PASS : STATUS_FAIL);
}
