//! Calls of the endpoint mapper on one line: which interface, and where it is served.

use super::brief::short;
use crate::bytes::Guid;
use crate::call::Call;
use crate::ndr::tower::Tower;
use crate::protocol::Registry;

/// \[C706\] appendix O.
const UUID: Guid = uuid::uuid!("e1af8308-5d1f-11c9-91a4-08002b14a0fa");
const EPT_LOOKUP: u16 = 2;
const EPT_MAP: u16 = 3;

fn opnum(call: &Call) -> Option<u16> {
    call.interface.as_deref().filter(|known| known.uuid == UUID && known.version.0 == 3)?;
    call.rpc.opnum
}

/// The interface whose endpoints are asked for; `None` if it is no such call.
pub(super) fn asked(call: &Call, registry: &Registry) -> Option<String> {
    if opnum(call)? != EPT_MAP {
        return None;
    }
    let (uuid, major, _) = call.request.towers().first()?.interface()?;
    let known = registry.interface(uuid, major);
    Some(known.map_or_else(|| format!("{} v{major}", short(uuid)), |known| known.name.to_string()))
}

/// Where it is served, or how many interfaces were told of.
pub(super) fn answered(call: &Call) -> Option<String> {
    let towers = call.response.towers();
    match opnum(call)? {
        EPT_MAP if !towers.is_empty() => {
            let mut bindings: Vec<_> = towers.iter().filter_map(Tower::binding).collect();
            bindings.dedup();
            Some(bindings.join(", "))
        }
        EPT_LOOKUP if !towers.is_empty() => Some(format!("{} endpoints", towers.len())),
        _ => None,
    }
}
