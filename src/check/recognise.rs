//! [`Evidence`]: what kind of server it is, by what it says of itself and never by its answers to
//! the calls that are judged.

use crate::bytes::Guid;
use crate::pipeline::{Around, Challenged, Negotiated, What};

/// `1.3.6.1.4.1.311.2.2.30`, `NegoEx`, which only Windows offers.
const NEGOEX: &str = "1.3.6.1.4.1.311.2.2.30";
/// Build of Windows Server 2012.
const BUILD_2012: u16 = 9200;

/// What a server has told of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    negotiated: Option<Negotiated>,
    challenged: Option<Challenged>,
    /// What it is called.
    pub(super) name: Option<String>,
}

impl Evidence {
    /// Takes what is told.
    pub(super) fn see(&mut self, around: &Around) {
        match &around.what {
            What::Negotiated(told) => self.negotiated = Some((**told).clone()),
            What::Challenged(told) => self.challenged = Some((**told).clone()),
            _ => {}
        }
        // Of a server that was not reached only the name it was looked for by is known.
        if self.name.is_none() && !matches!(around.what, What::Unreachable { .. }) {
            self.name.clone_from(&around.server_name);
        }
    }

    /// The profile it points to, and the reason in a clause.
    pub(super) fn points_to(&self) -> (&'static str, String) {
        let version = self.challenged.as_ref().and_then(|told| told.version);
        let guid = self.negotiated.as_ref().and_then(|told| told.server_guid);
        let named = guid.and_then(name_in_guid);
        let started = self.negotiated.as_ref().is_some_and(|told| told.started.is_some());
        let negoex = self
            .negotiated
            .as_ref()
            .is_some_and(|told| told.mechanisms.iter().any(|mechanism| mechanism == NEGOEX));
        if let Some(name) = named.filter(|_| !started && !negoex) {
            let why = format!("its ServerGuid is the name {name} in letters, as Samba makes it");
            return ("samba", why);
        }
        match version {
            Some((6, 1, 0)) => {
                return ("samba", "its NTLM version is 6.1 without a build, as Samba's".to_owned());
            }
            Some((major, minor, BUILD_2012)) => {
                let why = format!("its NTLM version is {major}.{minor} build {BUILD_2012}");
                return ("windows2012", why);
            }
            Some((major, minor, build)) if build > BUILD_2012 => {
                return ("windows", format!("its NTLM version is {major}.{minor} build {build}"));
            }
            _ => {}
        }
        if negoex {
            let dialect = self.negotiated.as_ref().and_then(|told| told.dialect.as_deref());
            if matches!(dialect, Some("3.0.2" | "3.1.1")) {
                let dialect = dialect.unwrap_or_default();
                let why =
                    format!("it offers NegoEx, which only Windows does, and speaks SMB {dialect}");
                return ("windows", why);
            }
            let why =
                "it offers NegoEx, which only Windows does, and nothing tells which".to_owned();
            return ("spec", why);
        }
        if self.negotiated.is_none() && self.challenged.is_none() {
            return ("spec", "neither its negotiation nor its logon is in the capture".to_owned());
        }
        ("spec", "what it says of itself names no server that is known".to_owned())
    }
}

/// The name that Samba makes a `ServerGuid` of: letters of a NetBIOS name, padded with zeros.
pub(super) fn name_in_guid(guid: Guid) -> Option<String> {
    let bytes = guid.to_bytes_le();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (name, padding) = bytes.split_at_checked(end)?;
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
    let is_name = !name.is_empty() && name.iter().all(good) && padding.iter().all(|b| *b == 0);
    is_name.then(|| String::from_utf8_lossy(name).into_owned())
}

/// Whether two addresses with this `ServerGuid` are one server.
pub(super) fn identifies(guid: Guid) -> bool {
    !guid.is_nil() && name_in_guid(guid).is_none()
}
