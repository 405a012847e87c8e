/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the CPUs from ACPI's Multiple APIC Description Table (ACPI 6.4, 5.2.12). The tables are not
 * trusted: every length is checked against the table that contains it. A table with a wrong length
 * or checksum is ignored.
 */
#include "boot/x86_64/boot.h"
#include "mm/compiler.h"

#define TABLE_LIMIT 0x100000U /* a longer table is invalid */

struct rsdp {
	char signature[8]; /* "RSD PTR " */
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt; /* from revision 2 on */
} MM_PACKED;

struct sdt {
	char signature[4];
	uint32_t length; /* header included */
	uint8_t revision;
	uint8_t checksum; /* makes all bytes add up to 0 */
	char rest[26];
} MM_PACKED;

_Static_assert(sizeof(struct sdt) == 36, "ACPI 6.4, 5.2.6");

struct madt_entry {
	uint8_t type;
	uint8_t length;
} MM_PACKED;

#define MADT_ENTRIES    44U /* offset of the first entry */
#define MADT_APIC       0U
#define MADT_X2APIC     9U
#define MADT_ENABLED    1U
#define BROADCAST_XAPIC 0xffU

struct madt_apic {
	struct madt_entry head;
	uint8_t uid;
	uint8_t id;
	uint32_t flags;
} MM_PACKED;

struct madt_x2apic {
	struct madt_entry head;
	uint16_t reserved;
	uint32_t id;
	uint32_t flags;
	uint32_t uid;
} MM_PACKED;

static bool adds_up(const struct sdt *table)
{
	const uint8_t *bytes = (const uint8_t *)table;
	uint8_t sum = 0;

	if (table->length < sizeof(*table) || table->length > TABLE_LIMIT)
		return false;
	for (uint32_t i = 0; i < table->length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

static bool is_named(const struct sdt *table, const char *name)
{
	return table->signature[0] == name[0] && table->signature[1] == name[1] &&
	       table->signature[2] == name[2] && table->signature[3] == name[3];
}

/* Finds a table by its name. The pointers in the root table have 4 or 8 bytes. */
static const struct sdt *find_table(const struct sdt *root, unsigned width, const char *name)
{
	const uint8_t *bytes = (const uint8_t *)root;

	for (uint32_t i = sizeof(*root); i + width <= root->length; i += width) {
		uint64_t address = 0;
		const struct sdt *table;

		for (unsigned b = width; b-- > 0;)
			address = address << 8 | bytes[i + b];
		table = at(address);
		if (address != 0 && is_named(table, name) && adds_up(table))
			return table;
	}
	return NULL;
}

static bool same_guid(const EFI_GUID *a, const EFI_GUID *b)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

	for (size_t i = 0; i < sizeof(*a); i++) {
		if (x[i] != y[i])
			return false;
	}
	return true;
}

static const void *find_config(const EFI_SYSTEM_TABLE *system, EFI_GUID guid)
{
	for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
		if (same_guid(&system->ConfigurationTable[i].VendorGuid, &guid))
			return system->ConfigurationTable[i].VendorTable;
	}
	return NULL;
}

static const struct sdt *find_madt(const EFI_SYSTEM_TABLE *system)
{
	const struct rsdp *rsdp = find_config(system, (EFI_GUID)ACPI_20_TABLE_GUID);
	const struct sdt *root;

	if (rsdp != NULL && rsdp->revision >= 2 && rsdp->xsdt != 0) {
		root = at(rsdp->xsdt);
		return adds_up(root) ? find_table(root, 8, "APIC") : NULL;
	}
	if (rsdp == NULL)
		rsdp = find_config(system, (EFI_GUID)ACPI_TABLE_GUID);
	if (rsdp == NULL || rsdp->rsdt == 0)
		return NULL;
	root = at(rsdp->rsdt);
	return adds_up(root) ? find_table(root, 4, "APIC") : NULL;
}

static void visit(const struct madt_entry *entry, struct boot_info *info,
                  void (*add)(struct boot_info *info, uint64_t id))
{
	const struct madt_apic *apic = (const struct madt_apic *)entry;
	const struct madt_x2apic *x2apic = (const struct madt_x2apic *)entry;

	if (entry->type == MADT_APIC && entry->length >= sizeof(*apic) &&
	    (apic->flags & MADT_ENABLED) && apic->id != BROADCAST_XAPIC)
		add(info, apic->id);
	if (entry->type == MADT_X2APIC && entry->length >= sizeof(*x2apic) &&
	    (x2apic->flags & MADT_ENABLED))
		add(info, x2apic->id);
}

void acpi_for_each_cpu(const EFI_SYSTEM_TABLE *system, struct boot_info *info,
                       void (*add)(struct boot_info *info, uint64_t id))
{
	const struct sdt *madt = find_madt(system);
	const uint8_t *bytes = (const uint8_t *)madt;
	uint32_t i = MADT_ENTRIES;

	while (madt != NULL && i + sizeof(struct madt_entry) <= madt->length) {
		const struct madt_entry *entry = (const struct madt_entry *)(bytes + i);

		if (entry->length < sizeof(*entry) || entry->length > madt->length - i)
			break;
		visit(entry, info, add);
		i += entry->length;
	}
}
