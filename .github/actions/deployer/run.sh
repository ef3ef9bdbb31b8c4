#!/usr/bin/env bash
# Runs one command of the deployer for a job of GitHub Actions: `run.sh plan|drift|up ENVIRONMENT`.
# It decides what an exit code means for the job and whom to tell; how GitHub is told is in
# github.sh. All else comes as variables, from action.yml.
set -euo pipefail

if [[ $# -ne 2 || ! $1 =~ ^(plan|drift|up)$ ]]; then
    echo "usage: run.sh plan|drift|up ENVIRONMENT" >&2
    exit 64
fi
command=$1
environment=$2
deployer=${DEPLOYER:?the program to run}
[[ $deployer == */* ]] || deployer=./$deployer
tell=${TELL:-none}
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/deployer.XXXXXX")
results=$work/results
said=$work/said
report=$work/report.md

# The deployer and what it starts need no token for GitHub.
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

# Runs the deployer, results into one file and the rest into another and the log. The runner
# cancels by a signal to this shell alone, and the deployer needs it to end in order.
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
        5) echo foreign ;;
        6) echo orphan ;;
        *) echo failed ;;
    esac
}

# Writes the report: the Markdown of a comparison, or how the rest ended and what was said.
write_report() {
    if [[ $command != up && $verdict != failed ]]; then
        # Not the annotations, nor the marker for who posts the Markdown as it is.
        grep -vE '^(::|<!-- deployer:)' "$results" || true
    else
        local ended="ended with exit code $code"
        [[ $code -eq 0 ]] && ended="is done"
        printf '### %s of %s %s\n\n' "${command^}" "$environment" "$ended"
        # A fence longer than any that a value is likely to have.
        printf '~~~~~~~~text\n%s\n~~~~~~~~\n' "$(tail -n 200 "$said")"
    fi >"$report"
}

# Succeeds where the exit code is no reason to fail the job.
passes() {
    case $command-$code in
        *-0 | plan-[236] | drift-[26]) ;;
        # The issue is the alarm; a failed job would be a second one.
        drift-[345]) [[ $tell == issue ]] ;;
        *) false ;;
    esac
}

# Values of the cloud pass through the log, where a line could be a command to the runner.
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

case $tell-$command-$code in
    comment-plan-*) keep_comment "$environment" "$report" ;;
    issue-drift-[345]) keep_issue "$environment" "$report" ;;
    issue-drift-[026]) close_issue "$environment" ;;
    # A check that failed says nothing about drift: an open issue stays as it is.
    *) ;;
esac

about="title=deployer $command $environment::$verdict (exit code $code)"
if ! passes; then
    echo "::error $about"
    exit "$code"
elif [[ $code -ne 0 ]]; then
    echo "::notice $about"
fi
