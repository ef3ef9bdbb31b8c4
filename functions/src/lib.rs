//! Request parsing that the cart's Lambda functions share; each function is a small file in `src/bin/`.
//!
//! The business rules are in `domain`; `runtime` starts functions, answers requests and handles events.

pub mod request;
