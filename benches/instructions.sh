#!/usr/bin/env bash
# Instructions of short runs of some rows, counted by callgrind, as a row of benches/runs/instructions.md. Counts repeat
# where times do not. Needs valgrind. Usage: benches/instructions.sh [WHAT WAS CHANGED]
set -euo pipefail
cd "$(dirname "$0")/.."
# Cargo says where it has put the program.
program=$(cargo bench --locked --no-default-features --bench throughput --no-run 2>&1 |
    tee /dev/stderr | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
mkdir -p benches/runs
table=benches/runs/instructions.md
row="| $(git rev-parse --short HEAD) | ${1:-$(git log -1 --format=%s)} |"
for name in w1 w3 incident-2024-07-10-rate-limiter-leak; do
    out=$(mktemp)
    line=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" --measure=$name --smoke 2>"$out")
    count=$(grep -o 'Collected : [0-9]*' "$out" | grep -o '[0-9]*$')
    events=$(grep -o '"events":[0-9]*' <<<"$line" | grep -o '[0-9]*$')
    row+=" $(awk -v c="$count" -v e="$events" 'BEGIN { printf "%.1f M, %d", c / 1e6, c / e }') |"
    rm -f "$out"
done
if [ ! -f "$table" ]; then
    {
        echo "# Instructions"
        echo
        echo "Of whole short runs (\`--smoke\`: start-up and compilation included), in millions and for each event. Written by"
        echo "\`benches/instructions.sh\`."
        echo
        echo "| commit | what | w1 | w3 | incident (10 July) |"
        echo "| --- | --- | --- | --- | --- |"
    } >"$table"
fi
echo "$row" >>"$table"
echo "$row"
