#!/usr/bin/env bash
# Runs one command of the deployer for a job of GitHub Actions: `run.sh plan|drift|up ENVIRONMENT`.
# It decides what an exit code means for the job and where to report; github.sh does the reporting. All other inputs
# are variables, set by action.yml.
set -euo pipefail

if [[ $# -ne 2 || ! $1 =~ ^(plan|drift|up)$ ]]; then
    echo "usage: run.sh plan|drift|up ENVIRONMENT" >&2
    exit 64
fi
command=$1
environment=$2
deployer=${DEPLOYER:?the program to run}
[[ $deployer == */* ]] || deployer=./$deployer
report_to=${REPORT_TO:-none}
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/deployer.XXXXXX")
results=$work/results
said=$work/said
report=$work/report.md

# The deployer and the processes that it starts need no token for GitHub.
token=${GH_TOKEN:-}
unset GH_TOKEN
# shellcheck source=.github/actions/deployer/github.sh
source "$(dirname "${BASH_SOURCE[0]}")/github.sh"

case $command in
    up)
        arguments=(up "$environment" --yes)
        for id in ${ALLOW:-}; do arguments+=(--allow "$id"); done
        ;;
    *) arguments=("$command" "$environment" --format github) ;;
esac

# Runs the deployer, with results in one file, and other output in another file and in the log. To cancel, the runner
# signals only this shell, which passes the signal on so that the deployer ends in order.
run() {
    exec {log}> >(tee "$said")
    local tee=$! child signalled
    "$deployer" "${arguments[@]}" >"$results" 2>&"$log" &
    child=$!
    trap 'signalled=yes; kill -TERM "$child" 2>/dev/null || true' INT TERM
    while :; do
        signalled=
        code=0
        wait "$child" || code=$?
        [[ $signalled ]] || break
    done
    trap - INT TERM
    exec {log}>&-
    wait "$tee"
}

verdict_of() {
    case $1 in
        0) echo in_sync ;;
        2) echo pending ;;
        3) echo drift ;;
        4) echo unknown ;;
        5) echo unmanaged ;;
        6) echo orphan ;;
        *) echo failed ;;
    esac
}

# Writes the report: the Markdown of a comparison, or else the outcome with the output.
write_report() {
    if [[ $command != up && $verdict != failed ]]; then
        # Without annotations and without the marker, which is for users that post the Markdown unchanged.
        grep -vE '^(::|<!-- deployer:)' "$results" || true
    else
        local ended="ended with exit code $code"
        [[ $code -eq 0 ]] && ended="succeeded"
        printf '### %s of %s %s\n\n' "${command^}" "$environment" "$ended"
        # The fence is longer than any fence that a value is likely to contain.
        printf '~~~~~~~~text\n%s\n~~~~~~~~\n' "$(tail -n 200 "$said")"
    fi >"$report"
}

# Succeeds if the exit code is no reason to fail the job.
passes() {
    case $command-$code in
        *-0 | plan-[236] | drift-[26]) ;;
        # The issue is the alarm; a failed job would be a second alarm.
        drift-[345]) [[ $report_to == issue ]] ;;
        *) false ;;
    esac
}

# Values from AWS are written into the log, where a line could be a command to the runner.
pause="deployer-$RANDOM$RANDOM$RANDOM$RANDOM"
echo "::stop-commands::$pause"
run
verdict=$(verdict_of "$code")
write_report
[[ $command == up ]] || cat "$report"
echo "::$pause::"

set_output verdict "$verdict"
set_output exit-code "$code"
set_output report "$report"
summarise "$report"
grep -E '^::(warning|error) ' "$results" || true

case $report_to-$command-$code in
    comment-plan-*) keep_comment "$environment" "$report" ;;
    issue-drift-[345]) keep_issue "$environment" "$report" ;;
    issue-drift-[026]) close_issue "$environment" ;;
    # A failed check says nothing about drift: an open issue stays unchanged.
    *) ;;
esac

about="title=deployer $command $environment::$verdict (exit code $code)"
if ! passes; then
    echo "::error $about"
    exit "$code"
elif [[ $code -ne 0 ]]; then
    echo "::notice $about"
fi
