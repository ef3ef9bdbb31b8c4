//! `deployer invoke`: invokes a deployed function and prints only its response.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncReadExt;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::Ui;
use crate::session::Session;
use aws::{NoAnswer, Ran, Repetition};

/// Invoke a deployed function and print its response payload
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The function, without the environment's prefix: the name of its binary
    function: String,
    /// The request: JSON, @FILE, or - for standard input
    #[arg(long, short, default_value = "{}")]
    payload: String,
    /// Show the end of the function's log
    #[arg(long)]
    tail: bool,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    app.functions()?;
    let payload = payload(&args.payload).await?;
    let session = Session::writing(&args.environment, app, global, ui).await?;
    let function = session.function(&args.function)?;
    let call = session.aws.lambda.invoke().function_name(&function).payload(Blob::new(payload));
    let call = call.set_log_type(args.tail.then_some(LogType::Tail));
    let runs_at_most = session.runs_at_most(&function);
    let answer = {
        let _busy = ui.busy(&function);
        aws::invoke(call, runs_at_most, Repetition::Harmful).await
    };
    let answer = answer.map_err(|NoAnswer { error, ran }| match ran {
        Ran::No => {
            Problem::of_call(error, || format!("`{} up {}` deploys it", ui.program(), args.environment))
        }
        Ran::Unknown => {
            // Such as an endpoint that is not AWS's.
            let cause = error.hint.as_ref().map(|hint| format!("{hint}; ")).unwrap_or_default();
            let logs = format!("{} logs {} {}", ui.program(), args.environment, args.function);
            Problem::new(format!("{function} may have run, but its response was lost: {error}"))
                .hint(format!("{cause}check with `{logs}` whether it ran before you invoke it again"))
        }
    })?;
    if let Some(log) = answer.log_result() {
        let log = STANDARD.decode(log).unwrap_or_else(|_| log.as_bytes().to_vec());
        ui.say_untrusted(String::from_utf8_lossy(&log).trim_end());
    }
    if let Some(payload) = answer.payload() {
        ui.data(payload.as_ref());
    }
    match answer.function_error() {
        None => Ok(Exit::DONE),
        Some(kind) => Err(Problem::new(format!("{function} failed ({kind}); its response says why"))
            .hint(format!("`{} logs {} {}` shows more", ui.program(), args.environment, args.function))),
    }
}

/// Returns the request's bytes, checked to be JSON before anything is called.
async fn payload(argument: &str) -> Result<Vec<u8>, Problem> {
    let (bytes, origin) = match argument.strip_prefix('@') {
        Some(path) => {
            let read = tokio::fs::read(path).await;
            let bytes = read.map_err(|error| Problem::usage(format!("cannot read `{path}`: {error}")))?;
            (bytes, path)
        }
        None if argument == "-" => {
            let mut bytes = Vec::new();
            let read = tokio::io::stdin().read_to_end(&mut bytes).await;
            read.map_err(|error| Problem::usage(format!("cannot read standard input: {error}")))?;
            (bytes, "standard input")
        }
        None => (argument.as_bytes().to_vec(), "--payload"),
    };
    // `serde_json` skips strings without checking that they are UTF-8.
    let checked = match std::str::from_utf8(&bytes) {
        Ok(text) => serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let Err(error) = checked else { return Ok(bytes) };
    let problem = Problem::usage(format!("{origin} is not JSON: {error}"));
    Err(match origin {
        "--payload" => problem.hint(
            "quote it for the shell: --payload '{\"name\": \"value\"}'; @FILE reads a file, - standard input",
        ),
        _ => problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn payload_that_is_no_json_is_refused_before_the_call() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for wrong in [&b"{\"cart_id\":\"\xff\"}"[..], b"{", b"", b"{} {}"] {
            std::fs::write(file.path(), wrong).unwrap();
            let refused = payload(&format!("@{}", file.path().display())).await.expect_err("it is not JSON");
            assert_eq!((refused.exit, refused.hint), (Exit::USAGE, None), "{wrong:?}");
        }
        assert!(payload("{cart_id: 1}").await.expect_err("it is not JSON").hint.is_some());
        assert_eq!(payload(r#"{"item": "tea"}"#).await.unwrap(), br#"{"item": "tea"}"#);
    }
}
