//! What people and programs are shown of plans and failures; and that the page of rules is true.

mod failing;
mod masking;
mod plans;
mod rules;
