//! Hints for failed builds, from cargo's output. It must not know how cargo was called.

use super::settings::{BuildSettings, Method};

/// Returns a hint that fixes the failure in `output`, if it is a known one.
pub(super) fn hint(output: &str, settings: &BuildSettings) -> Option<String> {
    let says = |text: &str| output.contains(text);
    let target = settings.rustup_target().unwrap_or_default();
    let hint = if says("no such command: `zigbuild`") {
        "run `cargo install --locked cargo-zigbuild` and `pip install ziglang`, or set another \
         `build.method` in the environment file"
            .to_owned()
    } else if settings.method == Method::Zig && says("ind zig") {
        "cargo-zigbuild did not find zig: run `pip install ziglang`".to_owned()
    } else if says("target may not be installed") {
        format!("run `rustup target add {target}` in the workspace")
    } else if says("--locked was passed") {
        "Cargo.lock does not match Cargo.toml: run `cargo update --workspace` and commit the lock \
         file"
            .to_owned()
    } else if says("profile `") && says("is not defined") {
        format!(
            "add `[profile.{}]` to the root Cargo.toml, or name another profile in the \
             environment file",
            settings.profile
        )
    } else if says("linker `cc` not found") {
        "install a C compiler, such as `apt install build-essential` or `xcode-select --install`".to_owned()
    } else if settings.method == Method::Musl && says("musl-gcc") {
        "C code in a dependency needs a compiler for musl: `apt install musl-tools`, or set \
         `build.method = \"zig\"` in the environment file"
            .to_owned()
    } else if settings.target().is_some()
        && (says("linking with `") || says("linker `") || says("failed to find tool"))
    {
        format!(
            "no linker or C compiler for {target} was found: set `build.method = \"zig\"` in \
             the environment file"
        )
    } else if says("No space left on device") {
        "the disk is full: run `cargo clean` to empty the target folder".to_owned()
    } else if says("Could not resolve host") || says("failed to download") {
        "cargo could not download a crate: check the network and proxy".to_owned()
    } else {
        return None;
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::super::settings::Architecture;
    use super::*;

    #[test]
    fn known_failures_name_the_command_that_fixes_them() {
        let settings =
            |method| BuildSettings { profile: "tiny".into(), method, architecture: Architecture::Arm64 };
        for (output, method, fix) in [
            ("error: no such command: `zigbuild`", Method::Zig, "cargo install --locked cargo-zigbuild"),
            ("Error: Failed to find zig", Method::Zig, "`pip install ziglang`"),
            (
                "note: the `aarch64-unknown-linux-musl` target may not be installed",
                Method::Musl,
                "rustup target add aarch64-unknown-linux-musl",
            ),
            (
                "error: cannot update the lock file because --locked was passed",
                Method::Host,
                "cargo update --workspace",
            ),
            ("error: profile `tiny` is not defined", Method::Host, "[profile.tiny]"),
            ("error: linking with `cc` failed", Method::Musl, "build.method = \"zig\""),
        ] {
            let hint = hint(output, &settings(method)).unwrap();
            assert!(hint.contains(fix), "{output}: {hint}");
        }
        assert_eq!(hint("error[E0308]: mismatched types", &settings(Method::Musl)), None);
    }
}
