//! Fields declared where they are read, so that name, format and value stand on one line:
//! `let call_id = r.u32(dec!("call_id"))?;`

/// A field whose value is shown in decimal, as text, or as bytes, named where it is read.
macro_rules! dec {
    ($name:literal) => {
        &const { $crate::bytes::Field::dec($name) }
    };
}

/// A field whose value is shown in hexadecimal.
macro_rules! hex {
    ($name:literal) => {
        &const { $crate::bytes::Field::hex($name) }
    };
}

/// A field whose values have names.
macro_rules! named {
    ($name:literal, $names:expr) => {
        &const { $crate::bytes::Field::named($name, $names) }
    };
}

/// A field whose bits have names.
macro_rules! flags {
    ($name:literal, $bits:expr) => {
        &const { $crate::bytes::Field::flags($name, $bits) }
    };
}
