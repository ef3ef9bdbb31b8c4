//! A progress as it is saved. The format is versioned.
//!
//! It is two lines of JSON, compressed: how the replay stands, which is small, and the lineup,
//! which may be large. Whoever only wants to know or to stop it reads the first, and needs no
//! more memory than that takes.

use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use thiserror::Error;

use super::Progress;

/// The version of the format.
pub(super) const FORMAT: u32 = 2;

/// What was saved cannot be read.
#[derive(Debug, Error)]
pub enum BrokenProgress {
    /// It is not compressed JSON of the right kind.
    #[error("it is not the progress of a replay")]
    Form(#[from] serde_json::Error),
    /// It is not compressed.
    #[error("it is not gzip")]
    Gzip(#[from] io::Error),
    /// Another release saved it.
    #[error("it has format {0}, and this release knows {FORMAT}")]
    Format(u32),
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Progress {
    /// Returns the progress as it is saved.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.count();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut gzip, self).expect("a progress holds nothing that JSON cannot");
        gzip.write_all(b"\n").expect("memory can be written");
        serde_json::to_writer(&mut gzip, &self.lineup).expect("a lineup holds nothing that JSON cannot");
        gzip.finish().expect("memory can be written")
    }

    /// Returns the progress that was saved, with its lineup.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BrokenProgress> {
        let mut lines = BufReader::new(GzDecoder::new(bytes));
        let mut progress = Self::first_line(&mut lines)?;
        let mut lineup = Vec::new();
        lines.read_to_end(&mut lineup)?;
        progress.lineup = serde_json::from_slice(&lineup)?;
        Ok(progress)
    }

    /// Returns how the replay stands that was saved, without its lineup.
    pub fn standing(bytes: &[u8]) -> Result<Self, BrokenProgress> {
        Self::first_line(&mut BufReader::new(GzDecoder::new(bytes)))
    }

    fn first_line(lines: &mut impl BufRead) -> Result<Self, BrokenProgress> {
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line)?;
        // Another format may lack anything but this.
        let Format { format } = serde_json::from_slice(&line)?;
        if format != FORMAT {
            return Err(BrokenProgress::Format(format));
        }
        Ok(serde_json::from_slice(&line)?)
    }
}
