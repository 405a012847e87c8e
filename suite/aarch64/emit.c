/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes code for guests: see arm.h. */
#include "log.h"
#include "suite/aarch64/arm.h"

void arm_emit(struct arm_code *code, uint32_t word)
{
	ASSERT(code->count < ARM_CODE_WORDS);
	code->word[code->count++] = word;
}

void arm_emit_piece(struct arm_code *code, struct arm_piece piece)
{
	for (const uint32_t *word = piece.start; word < piece.end; word++)
		arm_emit(code, *word);
}

static bool place(struct suite_run *run, struct vm *vm, uint64_t gpa, const uint32_t *words,
                  size_t bytes)
{
	if (mm_aspace_write(&vm->as, mm_gpa_at(gpa), words, bytes) == MM_OK)
		return true;
	return suite_fail(run, "no memory for code at 0x%" PRIx64, gpa);
}

bool arm_place(struct suite_run *run, struct vm *vm, uint64_t gpa, const struct arm_code *code)
{
	return place(run, vm, gpa, code->word, code->count * sizeof(code->word[0]));
}

bool arm_place_piece(struct suite_run *run, struct vm *vm, uint64_t gpa, struct arm_piece piece)
{
	return place(run, vm, gpa, piece.start,
	             (size_t)(piece.end - piece.start) * sizeof(*piece.start));
}

bool arm_ready(struct suite_run *run)
{
	const struct arm_piece *piece = run->c->data;

	return arm_place_piece(run, run->vm, ARM_CODE, *piece);
}
