//! What people and programs are shown of plans and failures.

mod failing;
mod masking;
mod plans;
