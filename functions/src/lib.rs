//! What the Lambda functions of the cart share; each function itself is a small file in
//! `src/bin/`.
//!
//! The business rules are in `domain`; how a function starts, answers, and handles events is in
//! `runtime`. This crate says what callers of the cart's functions may send.

pub mod request;
