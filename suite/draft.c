/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases made by a loop: see struct suite_draft. */
#include <stdarg.h>

#include "log.h"
#include "suite/suite.h"

/* Counting the cases also makes all of them. So the lists are terminated at each append and are not
 * cleared. */
void draft_reset(struct suite_draft *draft)
{
	draft->c = (struct suite_case){.name = NULL};
	draft->area_count = draft->op_count = draft->fault_count = 0;
}

void draft_area(struct suite_draft *draft, struct suite_area area)
{
	ASSERT(draft->area_count + 1 < MM_ARRAY_SIZE(draft->areas));
	draft->areas[draft->area_count++] = area;
	draft->areas[draft->area_count] = (struct suite_area){.kind = SUITE_NO_AREA};
	draft->c.areas = draft->areas;
}

void draft_op(struct suite_draft *draft, struct suite_op op)
{
	ASSERT(draft->op_count + 1 < MM_ARRAY_SIZE(draft->script));
	draft->script[draft->op_count++] = op;
	draft->script[draft->op_count] = (struct suite_op){OP(END)};
	draft->c.script = draft->script;
}

void draft_fault(struct suite_draft *draft, struct suite_fault fault)
{
	ASSERT(draft->fault_count + 1 < MM_ARRAY_SIZE(draft->faults));
	draft->faults[draft->fault_count++] = fault;
	draft->faults[draft->fault_count] = (struct suite_fault){.end = true};
	draft->c.faults = draft->faults;
}

const struct suite_op *suite_script_of(const struct suite_case *c, unsigned vcpu)
{
	if (c->crowd != 0)
		return c->member(c, vcpu);
	return vcpu == 0 ? c->script : c->others[vcpu - 1];
}

unsigned suite_vcpu_count(const struct suite_case *c)
{
	unsigned n = 1;

	if (c->crowd != 0)
		return c->crowd;
	while (n < SUITE_VCPUS && c->others[n - 1] != NULL)
		n++;
	return n;
}

void draft_name(struct suite_draft *draft, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_string_v(draft->name, sizeof(draft->name), format, args);
	va_end(args);
	draft->c.name = draft->name;
}
