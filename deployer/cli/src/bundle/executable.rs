//! Where in a file the program ends and the archive is. It must not know what is in the
//! archive.
//!
//! A bundle is the program, [`MARK`], and a zip archive whose comment, the end of the file, is
//! [`MARK`] and the SHA-256 of the manifest. So a glance at the end tells a bundle from a plain
//! program, and the mark in the middle tells a bundle that lost its end from both.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use object::Endianness;
use object::elf::{FileHeader64, SHT_NOBITS};
use object::read::ReadCache;
use object::read::elf::{FileHeader, SectionHeader};

/// What no program and no other archive has in these places.
pub(super) const MARK: &str = "deployer bundle 1 ";

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A program and nothing else.
    Plain,
    /// A bundle whose manifest has this SHA-256.
    Bundle(String),
    /// The beginning of a bundle.
    CutOff,
}

/// Opens the program that runs.
pub(super) fn running() -> io::Result<File> {
    // On Linux this is the program itself, whatever has taken its place in the folder since.
    File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?))
}

/// Tells what a file is, from a few bytes of it.
pub(super) fn form(file: &mut (impl Read + Seek)) -> io::Result<Form> {
    let length = file.seek(SeekFrom::End(0))?;
    let end = at(file, length.saturating_sub((MARK.len() + DIGITS) as u64))?;
    if let Some(digits) = end.strip_prefix(MARK.as_bytes())
        && digits.len() == DIGITS
        && digits.iter().all(u8::is_ascii_hexdigit)
    {
        return Ok(Form::Bundle(String::from_utf8_lossy(digits).into_owned()));
    }
    let Some(program) = length_of_program(file).filter(|program| *program < length) else {
        return Ok(Form::Plain);
    };
    let behind = at(file, program)?;
    let begins = MARK.as_bytes().starts_with(&behind) || behind.starts_with(MARK.as_bytes());
    Ok(if begins { Form::CutOff } else { Form::Plain })
}

/// Reads what a mark and a hash would take, or less where the file ends.
fn at(file: &mut (impl Read + Seek), position: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    file.take((MARK.len() + DIGITS) as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns how long an ELF program says that it is; nothing for other formats, whose loss of
/// an end goes unnoticed.
fn length_of_program(file: &mut (impl Read + Seek)) -> Option<u64> {
    let data = &ReadCache::new(file);
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.section_headers(endian, data).ok()?;
    let size = u64::from(header.e_shentsize(endian)) * sections.len() as u64;
    let table = header.e_shoff(endian).checked_add(size)?;
    let ends = sections.iter().filter(|section| section.sh_type(endian) != SHT_NOBITS);
    ends.filter_map(|section| section.sh_offset(endian).checked_add(section.sh_size(endian)))
        .chain([table])
        .max()
}
