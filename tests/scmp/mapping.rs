//! Where everything that the truth about a capture says is in what vshark says.
//!
//! A [`Row`] is a key of the truth, where the same is in ours, and how the two are compared. A key of
//! the truth without a row is a difference, and so is a key of ours in the parameters that no row
//! names and that is not in [`OURS_ALONE`]. Ours is the `call` record with the extension `wire`,
//! which has what the library knows of a call and no record tells: see `read.rs`.

/// Key of the truth, where it is in ours, how it is compared.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) &'static str, pub(crate) As);

/// How a value of the truth and one of ours are compared.
#[derive(Clone, Copy)]
pub(crate) enum As {
    /// The same text, number, truth value or null.
    Same,
    /// A number; ours may have its name beside it.
    Number,
    /// `"0x…"` in the truth; a number, hexadecimal or with its name, in ours.
    Hex,
    /// `"5.7"`, and a record of `MajorVersion` and `MinorVersion`.
    Version,
    /// A number of 100 ns since 1601, and a time as text.
    Filetime,
    /// `"OBJREF_STANDARD"`, and 1 with that name.
    Kind,
    /// The name of a number, or none if the truth has no such key.
    TypeName,
    /// `"MEOW"`, and its number.
    Signature,
    /// `"NDR 8a885d04-… v2"`, and `"ndr"`.
    Syntax,
    /// `"ntlmssp (10)"`, and `"ntlm"`.
    Security,
    /// `"pkt_privacy"`, and `"privacy"`.
    Level,
    /// `["127.0.0.1"]`, and a list of STRINGBINDING records.
    Addresses,
    /// The `wTowerId` of all of them.
    Tower,
    /// An array, each element compared like this.
    List(&'static As),
    /// An array of records, and a record of arrays: the key of ours is the array.
    Columns(&'static [Row]),
    /// A record, the keys compared by these rows, and every key of ours named by one of them. Null
    /// and null are the same.
    Record(&'static [Row]),
    /// A record whose members are, in ours, among those of the record around it.
    Part(&'static [Row]),
    /// The same as `Record`; null is a record in ours of which all numbers are zero.
    RecordOrZeros(&'static [Row]),
    /// `{ "objref": … }`, and an OBJREF.
    Object,
    /// The arm of a union that has no fields: null, and no member.
    Arm,
    /// The name of an interface, and its UUID.
    InterfaceName,
    /// The place in the order of calls; the comparison of the two lists does that.
    Order,
    /// `true`: the generating programs compared what they themselves sent and got.
    Holds,
    /// The status as the client read it: a text if it was a fault, null if it is not known.
    ClientStatus,
    /// For people, or in no record; a comment says what.
    Prose,
}

use As::{
    Addresses, Arm, ClientStatus, Columns, Filetime, Hex, Holds, InterfaceName, Kind, Level, List,
    Number, Object, Order, Part, Prose, Record, RecordOrZeros, Same, Security, Signature, Syntax,
    Tower, TypeName, Version,
};

/// Keys of one of `calls`. The third column of those in [`SEALED`] is for a stub in clear.
pub(crate) const CALL: &[Row] = &[
    Row("seq", "n", Order),
    Row("interface", "interface.name", Same),
    Row("iid", "interface.uuid", Same),
    Row("opnum", "opnum", Same),
    Row("method", "method", Same),
    Row("call_id", "call_id", Same),
    Row("context_id", "wire.context_id", Same),
    Row("client_port", "client.port", Same),
    Row("server_port", "server.port", Same),
    Row("object_ipid", "object", Same),
    Row("transfer_syntax", "syntax", Syntax),
    Row("auth_type", "auth.type", Security),
    Row("auth_level", "auth.level", Level),
    Row("request_stub_len", "stub_bytes.request", Same),
    Row("response_stub_len", "stub_bytes.response", Same),
    Row("request_fragments", "wire.request.fragments", Same),
    Row("response_fragments", "wire.response.fragments", Same),
    Row("request_byte_order", "wire.request.order", Same),
    Row("response_byte_order", "wire.response.order", Same),
    Row("fault", "fault", Record(FAULT)),
    Row("hresult", "status", Hex),
    Row("client_decoded_hresult", "status", ClientStatus),
    Row("orpcthis", "orpc.this", Record(ORPCTHIS)),
    Row("orpcthat", "orpc.that", Record(ORPCTHAT)),
    // By the tables of the method: see `parameters`.
    Row("in", "request", Record(&[])),
    Row("out", "response", Record(&[])),
    Row("server_decoded_in_equals_client_in", "", Holds),
    Row("client_decoded_out_equals_server_out", "", Holds),
    // which program's objects `in` was written from
    Row("in_from", "", Prose),
    // what is particular about the call
    Row("note", "", Prose),
];

/// What a sealed stub does not show.
pub(crate) const SEALED: &[&str] =
    &["hresult", "client_decoded_hresult", "orpcthis", "orpcthat", "in", "out"];

const FAULT: &[Row] =
    &[Row("status", "value", Hex), Row("did_not_execute", "did_not_execute", Same)];

const ORPCTHIS: &[Row] = &[
    Row("version", "version", Version),
    Row("flags", "flags", Number),
    Row("cid", "cid", Same),
    Row("extensions", "extensions", Record(EXTENSIONS)),
];

const ORPCTHAT: &[Row] =
    &[Row("flags", "flags", Number), Row("extensions", "extensions", Record(EXTENSIONS))];

// The array has an even number of elements, and the last may be null: the truth leaves it out.
const EXTENSIONS: &[Row] =
    &[Row("size", "size", Same), Row("extents", "extent", List(&Record(EXTENT)))];

const EXTENT: &[Row] =
    &[Row("id", "id", Same), Row("size", "size", Same), Row("data", "data", Same)];

/// The value of `objref`.
pub(crate) const OBJREF: &[Row] = &[
    Row("signature", "signature", Signature),
    Row("flags", "objref", Kind),
    Row("iid", "iid", Same),
    Row("interface", "iid", InterfaceName),
    Row("std", "", Part(STDOBJREF_OF_OBJREF)),
    Row("saResAddr", "", Part(BINDINGS_OF_OBJREF)),
];

const STDOBJREF_OF_OBJREF: &[Row] = &[
    Row("flags", "flags", Hex),
    Row("cPublicRefs", "public_refs", Same),
    Row("oxid", "oxid", Same),
    Row("oid", "oid", Same),
    Row("ipid", "ipid", Same),
];

const BINDINGS_OF_OBJREF: &[Row] =
    &[Row("string_bindings", "bindings", Addresses), Row("tower", "bindings", Tower)];

const STDOBJREF: &[Row] = &[
    Row("flags", "flags", Hex),
    Row("cPublicRefs", "cPublicRefs", Same),
    Row("oxid", "oxid", Same),
    Row("oid", "oid", Same),
    Row("ipid", "ipid", Same),
];

const DUALSTRINGARRAY: &[Row] = &[Row("string_bindings", "aStringArray.bindings", Addresses)];

const INTERFACE_REFS: As = List(&Record(&[
    Row("ipid", "ipid", Same),
    Row("cPublicRefs", "cPublicRefs", Same),
    Row("cPrivateRefs", "cPrivateRefs", Same),
]));

const ELEMENT: As = Record(&[
    Row("Type", "Type", Number),
    Row("TypeName", "Type", TypeName),
    Row("Obj", "Obj", Arm),
    // The keys of the truth have these dots.
    Row("Obj.Snap", "Obj.Snap", Record(SNAP)),
    Row("Obj.Vol", "Obj.Vol", Record(VOL)),
    Row("Obj.DiffVol", "Obj.DiffVol", Record(DIFF_VOL)),
    Row("Obj.DiffArea", "Obj.DiffArea", Record(DIFF_AREA)),
]);

const SNAP: &[Row] = &[
    Row("m_SnapshotId", "m_SnapshotId", Same),
    Row("m_SnapshotSetId", "m_SnapshotSetId", Same),
    Row("m_lSnapshotsCount", "m_lSnapshotsCount", Same),
    Row("m_pwszSnapshotDeviceObject", "m_pwszSnapshotDeviceObject", Same),
    Row("m_pwszOriginalVolumeName", "m_pwszOriginalVolumeName", Same),
    Row("m_pwszOriginatingMachine", "m_pwszOriginatingMachine", Same),
    Row("m_pwszServiceMachine", "m_pwszServiceMachine", Same),
    Row("m_pwszExposedName", "m_pwszExposedName", Same),
    Row("m_pwszExposedPath", "m_pwszExposedPath", Same),
    Row("m_ProviderId", "m_ProviderId", Same),
    Row("m_lSnapshotAttributes", "m_lSnapshotAttributes", Number),
    Row("m_tsCreationTimestamp", "m_tsCreationTimestamp", Filetime),
    Row("m_eStatus", "m_eStatus", Number),
];

const VOL: &[Row] = &[
    Row("m_pwszVolumeName", "m_pwszVolumeName", Same),
    Row("m_pwszVolumeDisplayName", "m_pwszVolumeDisplayName", Same),
];

const DIFF_VOL: &[Row] = &[
    Row("m_pwszVolumeName", "m_pwszVolumeName", Same),
    Row("m_pwszVolumeDisplayName", "m_pwszVolumeDisplayName", Same),
    Row("m_llVolumeFreeSpace", "m_llVolumeFreeSpace", Same),
    Row("m_llVolumeTotalSpace", "m_llVolumeTotalSpace", Same),
];

const DIFF_AREA: &[Row] = &[
    Row("m_pwszVolumeName", "m_pwszVolumeName", Same),
    Row("m_pwszDiffAreaVolumeName", "m_pwszDiffAreaVolumeName", Same),
    Row("m_llMaximumDiffSpace", "m_llMaximumDiffSpace", Same),
    Row("m_llAllocatedDiffSpace", "m_llAllocatedDiffSpace", Same),
    Row("m_llUsedDiffSpace", "m_llUsedDiffSpace", Same),
];

const ENUMERATOR: &[Row] = &[Row("ppEnum", "ppEnum", Object)];

const DIFF_AREA_TO_BE: &[Row] = &[
    Row("pwszVolumeName", "pwszVolumeName", Same),
    Row("pwszDiffAreaVolumeName", "pwszDiffAreaVolumeName", Same),
    Row("llMaximumDiffSpace", "llMaximumDiffSpace", Same),
];

const VOLUME: &[Row] = &[Row("pwszVolumeName", "pwszVolumeName", Same)];

/// In `pActProperties` and `ppActProperties`, a star is the property that has the next key.
const CREATE_IN: &[Row] = &[
    Row("clsid", "pActProperties.data.properties.*.InstantiationInfo.classId", Same),
    Row("iids", "pActProperties.data.properties.*.InstantiationInfo.pIID", List(&Same)),
];

const CREATE_OUT: &[Row] = &[
    Row("ppActProperties", "ppActProperties", Same),
    Row(
        "PropsOutInfo",
        "ppActProperties.data.properties.*.PropsOutInfo",
        Columns(&[
            Row("iid", "piid", Same),
            Row("hresult", "phresults", Hex),
            Row("interface", "ppIntfData", Object),
        ]),
    ),
    Row(
        "ScmReplyInfoData",
        "ppActProperties.data.properties.*.ScmReplyInfo.remoteReply",
        Record(&[
            Row("oxid", "Oxid", Same),
            Row("string_bindings", "pdsaOxidBindings.aStringArray.bindings", Addresses),
            Row("ipidRemUnknown", "ipidRemUnknown", Same),
            Row("authnHint", "authnHint", Number),
            Row("serverVersion", "serverVersion", Version),
        ]),
    ),
];

/// The rows for `in` and `out` of a method; `None` if it is not known here.
pub(crate) fn parameters(method: &str) -> Option<(&'static [Row], &'static [Row])> {
    Some(match method {
        "GetProviderMgmtInterface" => (
            &[Row("ProviderId", "ProviderId", Same), Row("InterfaceId", "InterfaceId", Same)],
            &[Row("ppItf", "ppItf", Object)],
        ),
        "QueryVolumesSupportedForSnapshots" => (
            &[Row("ProviderId", "ProviderId", Same), Row("lContext", "lContext", Number)],
            ENUMERATOR,
        ),
        "QuerySnapshotsByVolume" => (
            &[Row("pwszVolumeName", "pwszVolumeName", Same), Row("ProviderId", "ProviderId", Same)],
            ENUMERATOR,
        ),
        "AddDiffArea" | "ChangeDiffAreaMaximumSize" => (DIFF_AREA_TO_BE, &[]),
        "QueryVolumesSupportedForDiffAreas" => {
            (&[Row("pwszOriginalVolumeName", "pwszOriginalVolumeName", Same)], ENUMERATOR)
        }
        "QueryDiffAreasForVolume" | "QueryDiffAreasOnVolume" => (VOLUME, ENUMERATOR),
        "Opnum08NotUsedOnWire" | "Reset" => (&[], &[]),
        "Next" => (
            &[Row("celt", "celt", Same)],
            &[
                Row("rgelt", "rgelt", List(&ELEMENT)),
                Row("pceltFetched", "pceltFetched", Same),
                // No record has the counts of an array.
                Row("rgelt_max_count", "^wire.rgelt.max", Same),
                Row("rgelt_actual_count", "^wire.rgelt.actual", Same),
            ],
        ),
        "Skip" => (&[Row("celt", "celt", Same)], &[]),
        "Clone" => (&[Row("ppenum", "ppenum", Object)], &[Row("ppenum", "ppenum", Object)]),
        "ServerAlive2" => (
            &[],
            &[
                Row("pComVersion", "pComVersion", Version),
                Row("ppdsaOrBindings", "ppdsaOrBindings", Record(DUALSTRINGARRAY)),
                Row("pReserved", "pReserved", Same),
            ],
        ),
        "ResolveOxid2" => (
            &[
                Row("pOxid", "pOxid", Same),
                Row("arRequestedProtseqs", "arRequestedProtseqs", List(&Number)),
            ],
            &[
                Row("ppdsaOxidBindings", "ppdsaOxidBindings", Record(DUALSTRINGARRAY)),
                Row("pipidRemUnknown", "pipidRemUnknown", Same),
                Row("pAuthnHint", "pAuthnHint", Number),
                Row("pComVersion", "pComVersion", Version),
            ],
        ),
        "ComplexPing" => (
            &[
                Row("pSetId", "pSetId", Same),
                Row("SequenceNum", "SequenceNum", Same),
                Row("AddToSet", "AddToSet", List(&Same)),
                Row("DelFromSet", "DelFromSet", List(&Same)),
            ],
            &[Row("pSetId", "pSetId", Same), Row("pPingBackoffFactor", "pPingBackoffFactor", Same)],
        ),
        "SimplePing" => (&[Row("pSetId", "pSetId", Same)], &[]),
        "RemQueryInterface" => (
            &[
                Row("ripid", "ripid", Same),
                Row("cRefs", "cRefs", Same),
                Row("iids", "iids", List(&Same)),
            ],
            &[Row(
                "ppQIResults",
                "ppQIResults",
                List(&Record(&[
                    Row("hResult", "hResult", Hex),
                    // Zeros travel where there is no such interface.
                    Row("std", "std", RecordOrZeros(STDOBJREF)),
                ])),
            )],
        ),
        "RemAddRef" => (
            &[Row("InterfaceRefs", "InterfaceRefs", INTERFACE_REFS)],
            &[Row("pResults", "pResults", List(&Hex))],
        ),
        "RemRelease" => (&[Row("InterfaceRefs", "InterfaceRefs", INTERFACE_REFS)], &[]),
        "RemoteActivation" => (
            &[
                Row("Clsid", "Clsid", Same),
                Row("ClientImpLevel", "ClientImpLevel", Number),
                Row("Mode", "Mode", Number),
                Row("pIIDs", "pIIDs", List(&Same)),
                Row("aRequestedProtseqs", "aRequestedProtseqs", List(&Number)),
            ],
            &[
                Row("pOxid", "pOxid", Same),
                Row("string_bindings", "ppdsaOxidBindings.aStringArray.bindings", Addresses),
                Row("pipidRemUnknown", "pipidRemUnknown", Same),
                Row("pAuthnHint", "pAuthnHint", Number),
                Row("pServerVersion", "pServerVersion", Version),
                Row("phr", "phr", Hex),
                Row("ppInterfaceData", "ppInterfaceData", List(&Object)),
                Row("pResults", "pResults", List(&Hex)),
            ],
        ),
        "RemoteCreateInstance" => (CREATE_IN, CREATE_OUT),
        _ => return None,
    })
}

/// Keys of ours that the truth does not tell: a method, or `*` for what several have, and the key.
pub(crate) const OURS_ALONE: &[(&str, &str)] = &[
    // The truth has the arrays, and their lengths are these counts.
    ("ComplexPing", "cAddToSet"),
    ("ComplexPing", "cDelFromSet"),
    ("RemQueryInterface", "cIids"),
    ("RemAddRef", "cInterfaceRefs"),
    ("RemRelease", "cInterfaceRefs"),
    ("ResolveOxid2", "cRequestedProtseqs"),
    ("RemoteActivation", "cRequestedProtseqs"),
    ("RemoteActivation", "Interfaces"),
    // Beside `orpc`, which has the same.
    ("RemoteActivation", "ORPCthis"),
    ("RemoteActivation", "ORPCthat"),
    ("RemoteCreateInstance", "orpcthis"),
    ("RemoteCreateInstance", "orpcthat"),
    // Always null here; a test sees to that.
    ("RemoteActivation", "pwszObjectName"),
    ("RemoteActivation", "pObjectStorage"),
    ("RemoteCreateInstance", "pUnkOuter"),
    // Counts and security bindings, of which the truth has nothing.
    ("*", "entries"),
    ("*", "security_offset"),
    ("*", "security"),
    ("*", "wNumEntries"),
    ("*", "wSecurityOffset"),
    ("*", "reserved"),
    ("*", "reserved1"),
    ("*", "name"),
];

/// Keys of one of `bindings`; ours is what `vshark` says happened around the calls.
pub(crate) const BINDING: &[Row] = &[
    Row("seq", "", Order),
    Row("server_port", "server_port", Same),
    Row("client_port", "client_port", Same),
    // At the level connect no PDU after the bind has anything of it: alter_context is as the bind.
    Row("auth_type", "auth_type", Security),
    Row("auth_level", "auth_level", Level),
    // bind or alter_context, which is told as the same; auth3 is not answered
    Row("pdu", "", Prose),
    // joins a bind and its answer; nobody asks for it
    Row("call_id", "", Prose),
    // of the bind alone
    Row("max_xmit_frag", "", Prose),
    // of the bind alone
    Row("max_recv_frag", "", Prose),
    // that of the contexts, or a bind_nak: see `answer`
    Row("result", "", Prose),
    // An element for each interface, from `contexts`.
    Row("interface", "interface", Same),
    Row("iid", "iid", Same),
    Row("version", "version", Same),
    Row("answer", "answer", Same),
];

/// Keys of one of `contexts`; those of one interface are told together.
pub(crate) const CONTEXT: &[&str] = &[
    "interface",
    "iid",
    "version",
    "result",
    // `NAME UUID`, of a bind that is refused as a whole.
    "abstract",
    // Which context has which syntax is seen at the calls: `context_id` and `transfer_syntax`.
    "context_id",
    "offered",
    "accepted",
];

/// Keys of the truth as a whole, beside `calls` and `bindings`; `user` and `domain` are the principal
/// of authenticated calls.
pub(crate) const WHOLE: &[&str] = &[
    "calls",
    "bindings",
    "user",
    "domain",
    // For people, and what does not travel.
    "name",
    "description",
    "generator",
    "password",
    "notes",
    "deliberate_violations",
];
