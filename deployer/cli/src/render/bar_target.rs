//! The terminal that progress is drawn on.
//!
//! indicatif fills each line of its bars with spaces up to the right edge and leaves the cursor there. The `^C`
//! that a terminal shows for Ctrl-C would then begin the next line; clearing the bars would clear that line, and
//! leave a bar behind. So the last line ends a little before the edge.

use std::io;
use std::sync::{Mutex, PoisonError};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// The columns of `^C`, and one for the cursor.
const ROOM: usize = 3;

/// How often progress is drawn per second.
const PER_SECOND: u8 = 20;

/// Returns the standard error of this process as a place for progress.
pub(super) fn bar_target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(WithRoom::on(Term::stderr())), PER_SECOND)
}

/// A terminal that leaves room at the end of the last line of each drawing.
#[derive(Debug)]
struct WithRoom<T> {
    terminal: T,
    /// What was written since the last other call. A drawing ends with a flush.
    written: Mutex<String>,
}

impl<T: TermLike> WithRoom<T> {
    fn on(terminal: T) -> Self {
        Self { terminal, written: Mutex::default() }
    }

    /// Writes what is waiting, and returns the terminal.
    fn terminal(&self) -> io::Result<&T> {
        let written = std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner));
        if !written.is_empty() {
            self.terminal.write_str(&written)?;
        }
        Ok(&self.terminal)
    }
}

impl<T: TermLike> TermLike for WithRoom<T> {
    fn width(&self) -> u16 {
        self.terminal.width()
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.terminal()?.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.terminal()?.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.terminal()?.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.terminal()?.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.terminal()?.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.terminal()?.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let spaces = written.len() - written.trim_end_matches(' ').len();
            let shorter = written.len() - spaces.min(ROOM);
            written.truncate(shorter);
        }
        self.terminal()?.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

    use super::*;

    const WIDTH: u16 = 20;

    /// A terminal that records what is written.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            WIDTH
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.write_str("<up>")
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.write_str("<down>")
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            self.write_str("<right>")
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            self.write_str("<left>")
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("the lock is never poisoned").push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.write_str("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            self.write_str("<end>")
        }
    }

    /// A line that is not the last one is filled: indicatif lets the terminal wrap it.
    #[test]
    fn last_line_alone_leaves_room_for_an_echo() {
        let recorder = Recorder::default();
        let target = ProgressDrawTarget::term_like(Box::new(WithRoom::on(recorder.clone())));
        let bars = MultiProgress::with_draw_target(target);
        let style = ProgressStyle::with_template("{msg}").expect("the template is valid");
        let bar = |text: &'static str| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(style.clone());
            bar.set_message(text);
            bar
        };
        let _both = [bar("first"), bar("second")];
        bars.suspend(|| ());
        let written = recorder.0.lock().expect("the lock is never poisoned").clone();
        let drawing = written.split("<end>").filter(|drawing| drawing.contains("second")).last();
        let drawing = drawing.expect("both bars are drawn");
        let first = format!("{:20}", "first");
        let second = format!("{:17}", "second");
        assert!(drawing.ends_with(&format!("{first}{second}")), "{written:?}");
    }
}
