//! A terminal: not read, as after Ctrl-S or in a stalled ssh session, or read at the end.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// `O_NONBLOCK`.
const NONBLOCK: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 4 };

/// A terminal that is not read before the programs on it have ended.
pub(crate) struct Terminal {
    reader: OwnedFd,
    path: PathBuf,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let reader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be opened");
        grantpt(&reader).expect("the terminal can be granted");
        unlockpt(&reader).expect("the terminal can be unlocked");
        let path = ptsname(&reader, Vec::new()).expect("the terminal has a name");
        Self { path: OsStr::from_bytes(path.as_bytes()).into(), reader }
    }

    /// Returns the side that a program writes to.
    pub(crate) fn stdio(&self) -> Stdio {
        self.open(0).into()
    }

    /// Fills the buffer of the terminal, so that every further write blocks.
    pub(crate) fn fill(&self) {
        let mut side = self.open(NONBLOCK);
        loop {
            match side.write(b".") {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Returns what programs wrote. All of them must have ended.
    pub(crate) fn read(self) -> String {
        let mut written = Vec::new();
        // Linux reports an error where a file ends.
        let _ = File::from(self.reader).read_to_end(&mut written);
        String::from_utf8(written).expect("the deployer writes text")
    }

    fn open(&self, flags: i32) -> File {
        let no_terminal_of_ours = i32::try_from(OpenptFlags::NOCTTY.bits()).expect("the flag fits");
        File::options()
            .read(true)
            .write(true)
            .custom_flags(no_terminal_of_ours | flags)
            .open(&self.path)
            .expect("the terminal can be opened for writing")
    }
}
