//! The saved form of a progress, with a version of the format.
//!
//! It is two lines of JSON, compressed: the status, which is small, and the lineup, which may be large. Code
//! that only reads the status or cancels the replay reads the first line, and needs no memory for the second.

use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use thiserror::Error;

use super::Progress;

/// The version of the format.
pub(super) const FORMAT: u32 = 2;

/// The saved progress cannot be read.
#[derive(Debug, Error)]
pub enum BrokenProgress {
    /// It is not the JSON of a progress.
    #[error("it is not the progress of a replay")]
    Form(#[from] serde_json::Error),
    /// It is not compressed.
    #[error("it is not gzip")]
    Gzip(#[from] io::Error),
    /// It has the format of another release.
    #[error("it has format {0}, but this release reads format {FORMAT}")]
    Format(u32),
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Progress {
    /// Returns the saved form of the progress.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.count();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut gzip, self).expect("a progress can always be serialized as JSON");
        gzip.write_all(b"\n").expect("writing to memory never fails");
        serde_json::to_writer(&mut gzip, &self.lineup).expect("a lineup can always be serialized as JSON");
        gzip.finish().expect("writing to memory never fails")
    }

    /// Returns the saved progress with its lineup.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BrokenProgress> {
        let mut lines = BufReader::new(GzDecoder::new(bytes));
        let mut progress = Self::first_line(&mut lines)?;
        let mut lineup = Vec::new();
        lines.read_to_end(&mut lineup)?;
        progress.lineup = serde_json::from_slice(&lineup)?;
        Ok(progress)
    }

    /// Returns the saved progress without its lineup.
    pub fn standing(bytes: &[u8]) -> Result<Self, BrokenProgress> {
        Self::first_line(&mut BufReader::new(GzDecoder::new(bytes)))
    }

    fn first_line(lines: &mut impl BufRead) -> Result<Self, BrokenProgress> {
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line)?;
        // Other formats have nothing in common but this field.
        let Format { format } = serde_json::from_slice(&line)?;
        if format != FORMAT {
            return Err(BrokenProgress::Format(format));
        }
        Ok(serde_json::from_slice(&line)?)
    }
}
