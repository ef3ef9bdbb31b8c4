//! Checks from the ELF headers whether a binary starts on Lambda: its processor and the glibc it needs. It
//! must not know how binaries are built.

use std::path::Path;

use object::Endianness;
use object::elf::{self, FileHeader64, Machine};
use object::read::elf::FileHeader;

use super::error::BuildError;
use super::settings::{Architecture, GLIBC, GlibcVersion};

/// The first glibc with packed relative relocations. Binaries request them with a symbol version without a
/// number.
const PACKED_RELOCATIONS: (&str, GlibcVersion) = ("GLIBC_ABI_DT_RELR", GlibcVersion { major: 2, minor: 36 });

/// Checks that `data`, the content of `binary`, runs on Lambda's `provided.al2023`.
pub(super) fn check(binary: &Path, data: &[u8], architecture: Architecture) -> Result<(), BuildError> {
    let not_elf =
        |error: object::Error| BuildError::NotElf { binary: binary.to_owned(), message: error.to_string() };
    let header = FileHeader64::<Endianness>::parse(data).map_err(not_elf)?;
    let endian = header.endian().map_err(not_elf)?;
    let machine = header.e_machine(endian);
    if machine != machine_of(architecture) {
        return Err(BuildError::WrongArchitecture {
            binary: binary.to_owned(),
            found: name_of(machine),
            wanted: architecture,
        });
    }
    let newest = newest_glibc(header, endian, data).map_err(not_elf)?;
    match newest {
        Some((version, symbol)) if version > GLIBC => {
            Err(BuildError::GlibcTooNew { binary: binary.to_owned(), found: version.to_string(), symbol })
        }
        _ => Ok(()),
    }
}

/// Returns the newest glibc that the loader requires, or `None` for a static binary.
fn newest_glibc(
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    data: &[u8],
) -> object::Result<Option<(GlibcVersion, String)>> {
    let sections = header.sections(endian, data)?;
    let Some((mut libraries, strings)) = sections.gnu_verneed(endian, data)? else {
        return Ok(None);
    };
    let strings = sections.strings(endian, data, strings)?;
    let mut newest = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            // The loader starts a program even if it cannot meet weak requirements; Rust's standard library
            // uses them for optional symbols.
            let flags = version.vna_flags.get(endian);
            let weak = flags & elf::VER_FLG_WEAK == elf::VER_FLG_WEAK;
            let name = String::from_utf8_lossy(version.name(endian, strings)?);
            if let Some(glibc) = parse(&name).filter(|_| !weak) {
                newest = newest.max(Some((glibc, name.into_owned())));
            }
        }
    }
    Ok(newest)
}

/// Parses `GLIBC_2.34` or `GLIBC_2.2.5`; other names are not versions of glibc.
fn parse(symbol: &str) -> Option<GlibcVersion> {
    if symbol == PACKED_RELOCATIONS.0 {
        return Some(PACKED_RELOCATIONS.1);
    }
    let mut numbers = symbol.strip_prefix("GLIBC_")?.split('.');
    Some(GlibcVersion { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
}

fn machine_of(architecture: Architecture) -> Machine {
    match architecture {
        Architecture::X86_64 => elf::EM_X86_64,
        Architecture::Arm64 => elf::EM_AARCH64,
    }
}

fn name_of(machine: Machine) -> String {
    match machine {
        elf::EM_X86_64 => Architecture::X86_64.to_string(),
        elf::EM_AARCH64 => Architecture::Arm64.to_string(),
        other => format!("machine {}", other.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dynamic program for x86_64 that needs GLIBC_2.34 and GLIBC_2.2.5; `fixtures/README.md` says how to
    /// create it.
    const HELLO: &[u8] = include_bytes!("../../tests/fixtures/hello-x86_64");

    fn checked(data: &[u8], architecture: Architecture) -> Result<(), String> {
        check(Path::new("hello"), data, architecture).map_err(|error| error.to_string())
    }

    /// Returns the program with one string replaced by another of the same length.
    fn with(from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut data = HELLO.to_vec();
        let mut windows = data.windows(from.len());
        let at = windows.position(|window| window == from.as_bytes()).unwrap();
        data[at..at + to.len()].copy_from_slice(to.as_bytes());
        data
    }

    #[test]
    fn binary_with_lambdas_glibc_is_accepted() {
        assert_eq!(checked(HELLO, Architecture::X86_64), Ok(()));
    }

    #[test]
    fn binary_for_another_processor_is_refused() {
        let error = checked(HELLO, Architecture::Arm64).unwrap_err();
        assert_eq!(error, "hello: built for x86_64, but the environment asks for arm64");
        let mut arm = HELLO.to_vec();
        arm[18..20].copy_from_slice(&elf::EM_AARCH64.0.to_le_bytes());
        assert_eq!(checked(&arm, Architecture::Arm64), Ok(()));
    }

    #[test]
    fn newer_glibc_is_refused_with_both_versions() {
        let newer = with("GLIBC_2.34", "GLIBC_2.39");
        let error = check(Path::new("hello"), &newer, Architecture::X86_64).unwrap_err();
        assert_eq!(
            error.to_string(),
            "hello: needs glibc 2.39 (symbol version GLIBC_2.39), but Lambda's provided.al2023 \
             has 2.34"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains(r#"build.method = "musl""#), "{hint}");
        assert!(hint.contains(r#"build.method = "zig""#), "{hint}");
    }

    #[test]
    fn non_elf_file_is_refused() {
        for data in [&b"\xcf\xfa\xed\xfe"[..], b"", &HELLO[..100]] {
            let error = checked(data, Architecture::X86_64).unwrap_err();
            assert!(error.contains("not a 64-bit Linux (ELF) binary"), "{error}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse("GLIBC_2.4") < parse("GLIBC_2.34"));
        assert!(parse("GLIBC_2.2.5") < parse("GLIBC_2.34"));
        assert_eq!(parse("GLIBC_ABI_DT_RELR").unwrap().minor, 36);
        assert_eq!(parse("GLIBC_PRIVATE"), None);
        assert_eq!(parse("GCC_3.0"), None);
    }
}
