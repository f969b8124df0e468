"""Wall time and peak memory of `render profiles/bklog -e prod` beside `lua5.4 -e return`, taken in turn
in one run, so that a machine's drift meets both. Prints medians and the size of the program."""
import os
import statistics
import subprocess

RUNS = 41
COMMANDS = {
    "bkdeploy render profiles/bklog -e prod": ["build/bkdeploy", "render", "profiles/bklog", "-e", "prod"],
    "bkdeploy version": ["build/bkdeploy", "version"],
    "lua5.4 -e return": ["lua5.4", "-e", "return"],
}


def once(argv):
    """Runs a command; returns seconds and peak KiB as the kernel accounted them (measure.c)."""
    answer = subprocess.run(["build/measure", *argv], check=True, capture_output=True, text=True)
    seconds, kib = answer.stderr.split()
    return float(seconds), int(kib)


def main():
    times = {name: [] for name in COMMANDS}
    for run in range(RUNS + 1):
        for name, argv in COMMANDS.items():
            taken = once(argv)
            if run:  # the first warms the caches
                times[name].append(taken)
    print(f"{'median of ' + str(RUNS) + ' runs':42} {'wall ms':>8} {'peak MB':>8}")
    for name, taken in times.items():
        wall = statistics.median(seconds for seconds, _ in taken) * 1000
        peak = statistics.median(kib for _, kib in taken) / 1024
        print(f"{name:42} {wall:8.2f} {peak:8.2f}")
    stripped = "build/bkdeploy.stripped"
    subprocess.run(["strip", "-o", stripped, "build/bkdeploy"], check=True)
    print(f"program, stripped: {os.path.getsize(stripped) / 1024:.0f} KiB")
    os.remove(stripped)


main()
