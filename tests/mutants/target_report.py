# SPDX-License-Identifier: BSD-2-Clause
"""What on_target.py prints at the end, and whether it is a failure."""

GOAL = 90  # % of the visible planted defects of each folder

BROKEN = ("cannot be planted", "does not compile", "changes no image")


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def report_planted(mutants):
    """Names what is wrong with planted defects. True: one is a failure by itself."""
    bad = False
    for mutant in mutants:
        if mutant.verdict in BROKEN:
            print(f"BROKEN {mutant.full}: {mutant.verdict} {mutant.by}".rstrip())
            bad = True
        elif mutant.unseen and mutant.detected:
            print(f"SEEN {mutant.full}: {mutant.verdict} {mutant.by} ({mutant.machine})\n"
                  f"\tits entry says: unseen, {mutant.unseen}")
            bad = True
        elif not mutant.detected:
            print(f"{'unseen' if mutant.unseen else 'LIVES'} {mutant.full}" +
                  (f"\n\t{mutant.unseen or mutant.by}" if mutant.unseen or mutant.by else ""))
    return bad


def report_mechanical(mutants, known):
    """True: a survivor without a reason, or a reason for one that is detected."""
    bad = False
    living = {m.name for m in mutants if m.verdict == "lives"}
    for mutant in mutants:
        if mutant.verdict == "lives":
            reason = known.get(mutant.name)
            bad = bad or reason is None
            print(f"{'survives' if reason else 'NOT LISTED'} {mutant.where}: {mutant.name}" +
                  (f"\n\t{reason or mutant.by}" if reason or mutant.by else ""))
        elif mutant.detected and mutant.name in known and mutant.name not in living:
            print(f"NO SURVIVOR {mutant.name}: {mutant.verdict} {mutant.by}, and listed in survivors.txt")
            bad = True
    return bad


def row_of(name, mutants):
    """(row of the table, share of the visible planted ones)"""
    planted = [m for m in mutants if not m.mechanical]
    visible = [m for m in planted if not m.unseen]
    born = [m for m in mutants if m.mechanical and m.verdict not in BROKEN]
    found, killed = sum(m.detected for m in visible), sum(m.detected for m in born)
    share = percent(found, len(visible))
    return (f"{name:16} {len(planted):7} {len(visible):7} {found:8} {share:5.1f} % "
            f"{len(born):10} {killed:8} {percent(killed, len(born)):5.1f} %"), share


def report(mutants, folders, known):
    """Prints lists and the table. True: something is a failure."""
    bad = report_planted([m for m in mutants if not m.mechanical])
    bad = report_mechanical([m for m in mutants if m.mechanical], known) or bad
    print(f"{'folder':16} {'planted':>7} {'visible':>7} {'detected':>8} {'':7} {'mechanical':>10} {'detected':>8}")
    for folder in folders:
        own = [m for m in mutants if m.folder == folder]
        row, share = row_of(folder, own)
        low = share < GOAL
        bad = bad or low
        print(row + (f"   planted: less than {GOAL} %" if low else ""))
    print(row_of("all", mutants)[0])
    return bad
