//! Markdown blocks that their content cannot close.

/// How many characters of a line are shown in a comment.
const LONGEST_LINE: usize = 1_000;
/// How many lines of one resource are shown in a comment.
const MOST_LINES: usize = 120;
/// How many bytes of one resource are shown in a comment.
const MOST_BYTES: usize = 12_000;

/// Returns lines in a fenced block that none of them can close, cut if they are too long for a comment.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let (shown, more) = fitting(lines);
    let mut body: Vec<String> = shown.into_iter().map(|line| tame(&line)).collect();
    if more > 0 {
        body.push(format!("# … and {more} more lines"));
    }
    // A fence is closed only by one at least as long ("Fenced code blocks", CommonMark).
    let longest = body.iter().flat_map(|line| line.split(|letter| letter != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", body.join("\n"))
}

/// Returns text escaped for HTML.
pub(super) fn html(text: &str) -> String {
    let text = tame(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns a line in which the runner of GitHub Actions finds no command of the old form, which it looks for
/// anywhere in a line of a log (actions/runner, ActionCommand.cs).
fn tame(line: &str) -> String {
    line.replace("##[", "##\\u{5b}")
}

/// Returns the lines that fit, and how many do not.
fn fitting(lines: &[String]) -> (Vec<String>, usize) {
    let mut bytes = 0;
    let lines_short = lines.iter().map(|line| shortened(line));
    let shown: Vec<String> = lines_short
        .take(MOST_LINES)
        .take_while(|line| {
            bytes += line.len() + 1;
            bytes <= MOST_BYTES
        })
        .collect();
    let more = lines.len() - shown.len();
    (shown, more)
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        None => line.to_owned(),
        Some((end, _)) => {
            let more = line[end..].chars().count();
            format!("{}… and {more} more characters", &line[..end])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn fence_is_not_closed_by_its_content() {
        let fence = "`".repeat(6);
        let expected = format!("{fence}diff\n+ `````\n{fence}");
        assert_eq!(fenced("diff", &owned(&["+ `````"])), expected);
        assert_eq!(fenced("", &owned(&["- x"])), "```\n- x\n```");
    }

    #[test]
    fn fence_counts_lines_and_characters_cut() {
        let many = vec!["+ x".to_owned(); 200];
        assert!(fenced("diff", &many).ends_with("\n# … and 80 more lines\n```"));
        let long = fenced("diff", &["x".repeat(1_500)]);
        assert!(long.ends_with("x… and 500 more characters\n```"), "{long}");
    }

    #[test]
    fn fence_escapes_runner_commands() {
        assert_eq!(fenced("", &owned(&["+ ##[stop-commands]x"])), "```\n+ ##\\u{5b}stop-commands]x\n```");
        assert_eq!(html("<b>&"), "&lt;b&gt;&amp;");
    }
}
