//! The terminal that progress is drawn on.
//!
//! indicatif fills the last line of its bars up to the right edge and leaves the cursor there. The `^C` that a
//! terminal shows for Ctrl-C would then begin the next line, and clearing the bars would clear that line and
//! leave a bar behind. So the bars are a little narrower than the terminal.

use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// The columns of `^C`, and one for the cursor.
const MARGIN: u16 = 3;

/// How often progress is drawn per second.
const PER_SECOND: u8 = 20;

/// Returns the standard error of this process as a place for progress.
pub(super) fn bar_target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(NarrowTerminal(Term::stderr())), PER_SECOND)
}

/// A terminal without its last columns.
#[derive(Debug)]
struct NarrowTerminal(Term);

impl TermLike for NarrowTerminal {
    fn width(&self) -> u16 {
        narrow(TermLike::width(&self.0))
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

fn narrow(width: u16) -> u16 {
    width.saturating_sub(MARGIN).max(1)
}
