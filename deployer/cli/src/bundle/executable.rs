//! Finds the end of the program and the start of the archive in a file. It must not know the content of the
//! archive.
//!
//! A bundle is the program, [`MARK`], and a zip archive. The archive's comment, at the end of the file, is
//! [`MARK`] and the SHA-256 of the manifest. So the end of a file shows whether it is a bundle, and the mark
//! after the program shows whether a bundle lost its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use object::Endianness;
use object::elf::{FileHeader64, SHT_NOBITS};
use object::read::ReadCache;
use object::read::elf::{FileHeader, SectionHeader};

/// The text that marks a bundle. Plain programs and other archives do not have it in these places.
pub(super) const MARK: &str = "deployer bundle 1 ";

/// The number of hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// The kind of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A plain program.
    Plain,
    /// A bundle whose manifest has this SHA-256.
    Bundle(String),
    /// A bundle without its end.
    Truncated,
}

/// Opens the running program.
pub(super) fn running() -> io::Result<File> {
    // On Linux this is the program itself, even if its file was replaced.
    File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?))
}

/// Returns the kind of a file, from a few bytes of it.
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
    Ok(if begins { Form::Truncated } else { Form::Plain })
}

/// Reads as many bytes as a mark and a hash have, or fewer at the end of the file.
fn at(file: &mut (impl Read + Seek), position: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    file.take((MARK.len() + DIGITS) as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the length of an ELF program according to its headers. Returns `None` for other formats, so a lost
/// end is not noticed there.
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
