# shellcheck shell=bash
# Reports to GitHub: outputs and summary of the job, one comment on a pull request, one issue for an environment. It
# knows no exit codes. Comments and issues are found again by a marker in the first line of their text, which is
# invisible and survives a new title. `work` is a folder to write in, `token` the token for GitHub.
: "${work:?}" "${token?}"

# The label of the issues, for filters and notifications.
label=drift

# The maximum bytes of a report in a comment or an issue: GitHub accepts 65,536 characters.
room=60000

set_output() { echo "$1=$2" >>"${GITHUB_OUTPUT:-/dev/null}"; }

# A step's summary can have up to 1 MiB ("Workflow commands for GitHub Actions").
summarise() { cut_to 1000000 "$1" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"; }

# Creates or updates the comment of an environment on the pull request.
keep_comment() {
    local environment=$1 report=$2 marker="<!-- deployer plan $1 -->" found
    : "${PULL_REQUEST:?a comment needs a pull request}"
    write_body "$marker" "$report"
    found=$(numbers "$marker" id "issues/$PULL_REQUEST/comments?per_page=100")
    if [[ $found ]]; then
        api "issues/comments/${found%%$'\n'*}" --method PATCH --field "body=@$work/body"
    else
        api "issues/$PULL_REQUEST/comments" --method POST --field "body=@$work/body"
    fi
    echo "updated the comment about $environment"
}

# Creates or updates the open issue of an environment.
keep_issue() {
    local environment=$1 report=$2 marker="<!-- deployer drift $1 -->" found
    write_body "$marker" "$report"
    found=$(issues "$marker")
    if [[ $found ]]; then
        api "issues/${found%%$'\n'*}" --method PATCH --field "body=@$work/body"
        echo "updated issue ${found%%$'\n'*} about $environment"
        return
    fi
    GH_TOKEN=$token gh label create "$label" --force --repo "$GITHUB_REPOSITORY" \
        --color b60205 --description "Something does not match the stack"
    api issues --method POST --raw-field "title=Drift in $environment" \
        --raw-field "labels[]=$label" --field "body=@$work/body"
    echo "opened an issue about $environment"
}

# Closes the open issues of an environment.
close_issue() {
    local environment=$1 number
    for number in $(issues "<!-- deployer drift $1 -->"); do
        api "issues/$number/comments" --method POST \
            --raw-field "body=There is no drift any more: $(run_url)"
        api "issues/$number" --method PATCH --raw-field state=closed --raw-field state_reason=completed
        echo "closed issue $number about $environment"
    done
}

# Prints the open issues with a marker, oldest first. It uses the listing: the search does not find a new issue at
# once, so that a second one would be opened.
issues() { numbers "$1" number "issues?state=open&labels=$label&sort=created&direction=asc&per_page=100"; }

# Prints `field` of each item in a listing whose text begins with the marker. Only items that bots wrote: a person
# could edit their own text to say "in sync".
numbers() {
    local marker=$1 field=$2 listing=$3 lines number first
    lines=$(GH_TOKEN=$token gh api --paginate "repos/$GITHUB_REPOSITORY/$listing" \
        --jq ".[] | select(.user.type == \"Bot\") | [.$field, (.body // \"\" | split(\"\\n\")[0] // \"\" | rtrimstr(\"\\r\"))] | @tsv")
    while IFS=$'\t' read -r number first; do
        [[ $first == "$marker" ]] && echo "$number"
    done <<<"$lines"
    return 0
}

api() {
    local path=$1
    shift
    GH_TOKEN=$token gh api "repos/$GITHUB_REPOSITORY/$path" --silent "$@"
}

write_body() {
    {
        printf '%s\n' "$1"
        cut_to "$room" "$2"
        printf '\n%s, commit %s\n' "$(run_url)" "${GITHUB_SHA:-unknown}"
    } >"$work/body"
}

# Prints a file, or the first lines of it that fit.
cut_to() {
    local limit=$1 file=$2
    if [[ $(wc -c <"$file") -le $limit ]]; then
        cat "$file"
    else
        head -c "$limit" "$file" | sed '$d'
        printf '\nThe rest does not fit here; it is in the log of the job.\n'
    fi
}

run_url() { echo "${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/${GITHUB_RUN_ID:-0}"; }
