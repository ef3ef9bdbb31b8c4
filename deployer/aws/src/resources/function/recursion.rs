//! Recursion of a function. By default Lambda stops a function after about 16 invocations in one chain of
//! requests ("Use Lambda recursive loop detection to prevent infinite loops", Lambda developer guide).
//!
//! Read and set only for a function that is meant to invoke itself, because it needs one more call on every
//! read.

use engine::error::{Error, GoneIsNone};

use super::Function;
use crate::{Aws, Called};

impl Function {
    /// Returns the live setting, for a function that is meant to invoke itself.
    pub(super) async fn read_recursive_loop(&self, aws: &Aws) -> Result<Option<String>, Error> {
        if self.recursive_loop.is_none() {
            return Ok(None);
        }
        let call = aws.lambda.get_function_recursion_config().function_name(&self.name);
        let answer = call.send().await.called().gone_is_none()?;
        let set = answer.and_then(|answer| answer.recursive_loop);
        Ok(set.map(|set| set.as_str().to_owned()))
    }

    /// Applies the setting, for a function that is meant to invoke itself.
    pub(super) async fn set_recursive_loop(&self, aws: &Aws) -> Result<(), Error> {
        let Some(desired) = &self.recursive_loop else {
            return Ok(());
        };
        let call = aws.lambda.put_function_recursion_config().function_name(&self.name);
        let call = call.recursive_loop(desired.as_str().into());
        call.send().await.called().map(drop)
    }
}
