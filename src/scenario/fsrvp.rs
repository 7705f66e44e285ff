//! What the notation leaves out of FSRVP calls, and what it calls their parameters.

use super::wire::octets::filetime;
use crate::bytes::{Guid, Time};
use crate::ndr::Arg;

/// Short names, and the names of \[MS-FSRVP\] they stand for.
pub(super) const SHORT: &[(&str, &str)] = &[
    ("ctx", "Context"),
    ("cid", "ClientShadowCopySetId"),
    ("ccid", "ClientShadowCopyId"),
    ("set", "ShadowCopySetId"),
    ("copy", "ShadowCopyId"),
    ("share", "ShareName"),
    ("to", "TimeOutInMilliseconds"),
    ("L", "Level"),
    ("min", "MinVersion"),
    ("max", "MaxVersion"),
    ("supported", "SupportedByThisProvider"),
    ("owner", "OwnerMachineName"),
    ("present", "ShadowCopyPresent"),
    ("compat", "ShadowCopyCompatibility"),
    ("set", "pShadowCopySetId"),
    ("copy", "pShadowCopyId"),
    ("unc", "ShareNameUNC"),
    ("exposed", "ShadowCopyShareName"),
    ("ts", "CreationTimestamp"),
];

/// The parameter that is given by name only, so `3(S1,\\fs\d)` begins with the set.
pub(super) const BY_NAME_ONLY: &str = "ClientShadowCopyId";

/// What is known of the conversation when something is left out.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The set a client last got or named.
    pub(super) set: Guid,
    /// The copy a client last got or named.
    pub(super) copy: Guid,
    /// Name of the server.
    pub(super) server: String,
    /// A GUID that nothing has yet.
    pub(super) fresh: Guid,
}

/// The value of a request's parameter that is left out.
pub(super) fn request(opnum: u16, parameter: &str, known: &Known) -> Option<Arg> {
    Some(match parameter {
        "Context" => 0u32.into(),
        "ClientShadowCopySetId" | "ClientShadowCopyId" => known.fresh.into(),
        "ShadowCopySetId" => known.set.into(),
        "ShadowCopyId" => known.copy.into(),
        "ShareName" => format!(r"\\{}\d", known.server.to_lowercase()).into(),
        // [MS-FSRVP] 3.2.4.2.2, 3.2.4.3 and 3.2.4.4 as Windows has them.
        "TimeOutInMilliseconds" if opnum == 4 => 60_000u32.into(),
        "TimeOutInMilliseconds" => 1_800_000u32.into(),
        "Level" => 1u32.into(),
        _ => return None,
    })
}

/// The value of a result that is left out, of a call that succeeds.
pub(super) fn result(parameter: &str, known: &Known) -> Option<Arg> {
    Some(match parameter {
        "MinVersion" | "MaxVersion" => 1u32.into(),
        "pShadowCopySetId" | "pShadowCopyId" => known.fresh.into(),
        "SupportedByThisProvider" => true.into(),
        "OwnerMachineName" => known.server.clone().into(),
        _ => return None,
    })
}

/// A member of the share mapping that is left out, of a call that succeeds for this share and a
/// copy made then.
pub(super) fn mapping(
    member: &str,
    (set, copy, share): (Guid, Guid, &str),
    made: Time,
) -> Option<Arg> {
    Some(match member {
        "ShadowCopySetId" => set.into(),
        "ShadowCopyId" => copy.into(),
        "ShareNameUNC" => share.into(),
        "ShadowCopyShareName" => {
            let id = copy.to_string().to_uppercase();
            let name = share.trim_end_matches('\\').rsplit('\\').next().unwrap_or_default();
            format!("{name}@{{{id}}}").into()
        }
        "CreationTimestamp" => filetime(made).into(),
        _ => return None,
    })
}
