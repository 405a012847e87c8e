/*
 * The boot story, from the moment the machine is ours to the moment it is switched off.
 */
#include "boot_info.h"
#include "kernel/report.h"
#include "log.h"
#include "machine.h"
#include "vcpu.h"

/* The first extension that this CPU has, switched on; NULL if there is none. */
static const struct virt_ops *virt_find(struct virt_caps *caps)
{
	for (const struct virt_ops *const *ops = virt_candidates; *ops != NULL; ops++) {
		if ((*ops)->probe(caps))
			return *ops;
		log_line(LOG_QUIET, "missing extension=%s reason=\"%s\"", (*ops)->name,
		         caps->missing);
	}
	return NULL;
}

_Noreturn static void finish(enum machine_status status)
{
	log_raw("# RESULT: %s", status == STATUS_PASS ? "PASS" : "FAIL");
	machine_console_drain();
	machine_power_off(status);
}

_Noreturn void kernel_main(struct boot_info *info)
{
	static struct virt_caps caps;
	const struct virt_ops *ops;

	machine_init(info);
	log_raw("TAP version 13");
	if (info->error != NULL) {
		log_line(LOG_QUIET, "boot error=\"%s\"", info->error);
		finish(STATUS_BAD_BOOT);
	}
	report_boot(info);

	ops = virt_find(&caps);
	if (ops == NULL)
		finish(STATUS_NO_VIRT);
	report_caps(ops, &caps);
	finish(STATUS_PASS);
}
