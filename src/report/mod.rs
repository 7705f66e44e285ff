//! What people and programs are told, made from decoded values, calls and findings.

pub mod value;
