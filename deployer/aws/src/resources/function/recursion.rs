//! Whether a function may go on invoking itself: by default Lambda stops a function after about
//! 16 invocations in one chain of requests ("Use Lambda recursive loop detection to prevent
//! infinite loops", Lambda developer guide).
//!
//! Read and set only for a function that is meant to: it is a call more for each look.

use engine::error::{Error, GoneIsNone};

use super::Function;
use crate::{Aws, Called};

impl Function {
    /// Returns what is set, if it matters here.
    pub(super) async fn read_recursive_loop(&self, aws: &Aws) -> Result<Option<String>, Error> {
        if self.recursive_loop.is_none() {
            return Ok(None);
        }
        let call = aws.lambda.get_function_recursion_config().function_name(&self.name);
        let answer = call.send().await.called().gone_is_none()?;
        let set = answer.and_then(|answer| answer.recursive_loop);
        Ok(set.map(|set| set.as_str().to_owned()))
    }

    /// Sets it, if it matters here.
    pub(super) async fn set_recursive_loop(&self, aws: &Aws) -> Result<(), Error> {
        let Some(desired) = &self.recursive_loop else {
            return Ok(());
        };
        let call = aws.lambda.put_function_recursion_config().function_name(&self.name);
        let call = call.recursive_loop(desired.as_str().into());
        call.send().await.called().map(drop)
    }
}
