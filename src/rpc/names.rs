//! The numbers of DCE/RPC by name.
//!
//! From \[C706\] chapter 12 and appendix E, and \[MS-RPCE\] 2.2.1 and 2.2.2.

/// A table of numbers and their names.
pub type Names = &'static [(u64, &'static str)];

/// \[C706\] 12.6.4.1 PDU types of the connection-oriented protocol, and RTS of \[MS-RPCH\].
pub const PTYPES: Names = &[
    (0, "request"),
    (2, "response"),
    (3, "fault"),
    (11, "bind"),
    (12, "bind_ack"),
    (13, "bind_nak"),
    (14, "alter_context"),
    (15, "alter_context_resp"),
    (16, "rpc_auth_3"),
    (17, "shutdown"),
    (18, "co_cancel"),
    (19, "orphaned"),
    (20, "rts"),
];

/// \[C706\] 12.5.2.2 PDU types of the connectionless protocol.
pub const DATAGRAM_TYPES: Names = &[
    (0, "request"),
    (1, "ping"),
    (2, "response"),
    (3, "fault"),
    (4, "working"),
    (5, "nocall"),
    (6, "reject"),
    (7, "ack"),
    (8, "cl_cancel"),
    (9, "fack"),
    (10, "cancel_ack"),
];

/// \[C706\] 12.6.3.1 and \[MS-RPCE\] 2.2.2.3 `pfc_flags`.
pub const PFC_FLAGS: Names = &[
    (0x01, "PFC_FIRST_FRAG"),
    (0x02, "PFC_LAST_FRAG"),
    (0x04, "PFC_SUPPORT_HEADER_SIGN or PFC_PENDING_CANCEL"),
    (0x08, "PFC_RESERVED_1"),
    (0x10, "PFC_CONC_MPX"),
    (0x20, "PFC_DID_NOT_EXECUTE"),
    (0x40, "PFC_MAYBE"),
    (0x80, "PFC_OBJECT_UUID"),
];

/// \[C706\] 12.6.3.1 `p_cont_def_result_t`, and `negotiate_ack` of \[MS-RPCE\] 2.2.2.4.
pub const RESULTS: Names =
    &[(0, "acceptance"), (1, "user_rejection"), (2, "provider_rejection"), (3, "negotiate_ack")];

/// \[C706\] 12.6.3.1 `p_provider_reason_t`.
pub const PROVIDER_REASONS: Names = &[
    (0, "reason_not_specified"),
    (1, "abstract_syntax_not_supported"),
    (2, "proposed_transfer_syntaxes_not_supported"),
    (3, "local_limit_exceeded"),
];

/// \[C706\] 12.6.3.1 `p_reject_reason_t` and \[MS-RPCE\] 2.2.2.5.
pub const REJECT_REASONS: Names = &[
    (0, "reason_not_specified"),
    (1, "temporary_congestion"),
    (2, "local_limit_exceeded"),
    (3, "called_paddr_unknown"),
    (4, "protocol_version_not_supported"),
    (5, "default_context_not_supported"),
    (6, "user_data_not_readable"),
    (7, "no_psap_available"),
    (8, "authentication_type_not_recognized"),
    (9, "invalid_checksum"),
];

/// \[MS-RPCE\] 2.2.1.1.7 security providers.
pub const AUTH_TYPES: Names = &[
    (0x00, "RPC_C_AUTHN_NONE"),
    (0x09, "RPC_C_AUTHN_GSS_NEGOTIATE"),
    (0x0a, "RPC_C_AUTHN_WINNT"),
    (0x0e, "RPC_C_AUTHN_GSS_SCHANNEL"),
    (0x10, "RPC_C_AUTHN_GSS_KERBEROS"),
    (0x44, "RPC_C_AUTHN_NETLOGON"),
    (0xff, "RPC_C_AUTHN_DEFAULT"),
];

/// \[MS-RPCE\] 2.2.1.1.8 authentication levels.
pub const AUTH_LEVELS: Names = &[
    (0, "RPC_C_AUTHN_LEVEL_DEFAULT"),
    (1, "RPC_C_AUTHN_LEVEL_NONE"),
    (2, "RPC_C_AUTHN_LEVEL_CONNECT"),
    (3, "RPC_C_AUTHN_LEVEL_CALL"),
    (4, "RPC_C_AUTHN_LEVEL_PKT"),
    (5, "RPC_C_AUTHN_LEVEL_PKT_INTEGRITY"),
    (6, "RPC_C_AUTHN_LEVEL_PKT_PRIVACY"),
];

/// Fault status codes: \[C706\] appendix E, \[MS-RPCE\] 2.2.1.1.7 and 3.3.3.5.1, \[MS-ERREF\] 2.2.
pub const FAULTS: Names = &[
    (0x0000_0005, "ERROR_ACCESS_DENIED"),
    (0x0000_0057, "ERROR_INVALID_PARAMETER"),
    (0x0000_06a6, "RPC_S_INVALID_BINDING"),
    (0x0000_06a7, "RPC_S_PROTSEQ_NOT_SUPPORTED"),
    (0x0000_06a8, "RPC_S_INVALID_RPC_PROTSEQ"),
    (0x0000_06aa, "RPC_S_INVALID_ENDPOINT_FORMAT"),
    (0x0000_06ab, "RPC_S_INVALID_NET_ADDR"),
    (0x0000_06ac, "RPC_S_NO_ENDPOINT_FOUND"),
    (0x0000_06ad, "RPC_S_INVALID_TIMEOUT"),
    (0x0000_06ae, "RPC_S_OBJECT_NOT_FOUND"),
    (0x0000_06b3, "RPC_S_NOT_LISTENING"),
    (0x0000_06b4, "RPC_S_UNKNOWN_MGR_TYPE"),
    (0x0000_06b5, "RPC_S_UNKNOWN_IF"),
    (0x0000_06b6, "RPC_S_NO_BINDINGS"),
    (0x0000_06b7, "RPC_S_NO_PROTSEQS"),
    (0x0000_06b8, "RPC_S_CANT_CREATE_ENDPOINT"),
    (0x0000_06b9, "RPC_S_OUT_OF_RESOURCES"),
    (0x0000_06ba, "RPC_S_SERVER_UNAVAILABLE"),
    (0x0000_06bb, "RPC_S_SERVER_TOO_BUSY"),
    (0x0000_06bc, "RPC_S_INVALID_NETWORK_OPTIONS"),
    (0x0000_06bd, "RPC_S_NO_CALL_ACTIVE"),
    (0x0000_06be, "RPC_S_CALL_FAILED"),
    (0x0000_06bf, "RPC_S_CALL_FAILED_DNE"),
    (0x0000_06c0, "RPC_S_PROTOCOL_ERROR"),
    (0x0000_06c1, "RPC_S_PROXY_ACCESS_DENIED"),
    (0x0000_06c2, "RPC_S_UNSUPPORTED_TRANS_SYN"),
    (0x0000_06c4, "RPC_S_UNSUPPORTED_TYPE"),
    (0x0000_06c5, "RPC_S_INVALID_TAG"),
    (0x0000_06c6, "RPC_S_INVALID_BOUND"),
    (0x0000_06cf, "RPC_S_STRING_TOO_LONG"),
    (0x0000_06d0, "RPC_S_PROTSEQ_NOT_FOUND"),
    (0x0000_06d1, "RPC_S_PROCNUM_OUT_OF_RANGE"),
    (0x0000_06d2, "RPC_S_BINDING_HAS_NO_AUTH"),
    (0x0000_06d3, "RPC_S_UNKNOWN_AUTHN_SERVICE"),
    (0x0000_06d4, "RPC_S_UNKNOWN_AUTHN_LEVEL"),
    (0x0000_06d5, "RPC_S_INVALID_AUTH_IDENTITY"),
    (0x0000_06d6, "RPC_S_UNKNOWN_AUTHZ_SERVICE"),
    (0x0000_06d7, "EPT_S_INVALID_ENTRY"),
    (0x0000_06d8, "EPT_S_CANT_PERFORM_OP"),
    (0x0000_06d9, "EPT_S_NOT_REGISTERED"),
    (0x0000_06df, "RPC_S_INTERFACE_NOT_FOUND"),
    (0x0000_06e4, "RPC_S_CANNOT_SUPPORT"),
    (0x0000_06e6, "RPC_S_INTERNAL_ERROR"),
    (0x0000_06e7, "RPC_S_ZERO_DIVIDE"),
    (0x0000_06e8, "RPC_S_ADDRESS_ERROR"),
    (0x0000_06ef, "RPC_X_SS_IN_NULL_CONTEXT"),
    (0x0000_06f1, "RPC_X_SS_CONTEXT_DAMAGED"),
    (0x0000_06f2, "RPC_X_SS_HANDLES_MISMATCH"),
    (0x0000_06f3, "RPC_X_SS_CANNOT_GET_CALL_HANDLE"),
    (0x0000_06f4, "RPC_X_NULL_REF_POINTER"),
    (0x0000_06f5, "RPC_X_ENUM_VALUE_OUT_OF_RANGE"),
    (0x0000_06f6, "RPC_X_BYTE_COUNT_TOO_SMALL"),
    (0x0000_06f7, "RPC_X_BAD_STUB_DATA"),
    (0x0000_06ff, "RPC_S_CALL_IN_PROGRESS"),
    (0x0000_0719, "RPC_S_NO_INTERFACES"),
    (0x0000_071a, "RPC_S_CALL_CANCELLED"),
    (0x0000_071b, "RPC_S_BINDING_INCOMPLETE"),
    (0x0000_071c, "RPC_S_COMM_FAILURE"),
    (0x0000_071d, "RPC_S_UNSUPPORTED_AUTHN_LEVEL"),
    (0x0000_071e, "RPC_S_NO_PRINC_NAME"),
    (0x0000_071f, "RPC_S_NOT_RPC_ERROR"),
    (0x0000_0720, "RPC_S_UUID_LOCAL_ONLY"),
    (0x0000_0721, "RPC_S_SEC_PKG_ERROR"),
    (0x0000_0722, "RPC_S_NOT_CANCELLED"),
    (0x0000_0723, "RPC_X_INVALID_ES_ACTION"),
    (0x0000_0724, "RPC_X_WRONG_ES_VERSION"),
    (0x0000_0725, "RPC_X_WRONG_STUB_VERSION"),
    (0x0000_0726, "RPC_X_INVALID_PIPE_OBJECT"),
    (0x1c00_0001, "nca_s_fault_int_div_by_zero"),
    (0x1c00_0002, "nca_s_fault_addr_error"),
    (0x1c00_0006, "nca_s_fault_invalid_tag"),
    (0x1c00_0007, "nca_s_fault_invalid_bound"),
    (0x1c00_0008, "nca_s_rpc_version_mismatch"),
    (0x1c00_0009, "nca_s_unspec_reject"),
    (0x1c00_000a, "nca_s_bad_actid"),
    (0x1c00_000b, "nca_s_who_are_you_failed"),
    (0x1c00_000c, "nca_s_manager_not_entered"),
    (0x1c00_000d, "nca_s_fault_cancel"),
    (0x1c00_000e, "nca_s_fault_ill_inst"),
    (0x1c00_000f, "nca_s_fault_fp_error"),
    (0x1c00_0010, "nca_s_fault_int_overflow"),
    (0x1c00_0012, "nca_s_fault_unspec"),
    (0x1c00_0013, "nca_s_fault_remote_comm_failure"),
    (0x1c00_0014, "nca_s_fault_pipe_empty"),
    (0x1c00_0015, "nca_s_fault_pipe_closed"),
    (0x1c00_0016, "nca_s_fault_pipe_order"),
    (0x1c00_0017, "nca_s_fault_pipe_discipline"),
    (0x1c00_0018, "nca_s_fault_pipe_comm_error"),
    (0x1c00_0019, "nca_s_fault_pipe_memory"),
    (0x1c00_001a, "nca_s_fault_context_mismatch"),
    (0x1c00_001b, "nca_s_fault_remote_no_memory"),
    (0x1c00_001c, "nca_s_invalid_pres_context_id"),
    (0x1c00_001d, "nca_s_unsupported_authn_level"),
    (0x1c00_001f, "nca_s_invalid_checksum"),
    (0x1c00_0020, "nca_s_invalid_crc"),
    (0x1c00_0021, "nca_s_fault_user_defined"),
    (0x1c00_0022, "nca_s_fault_tx_open_failed"),
    (0x1c00_0023, "nca_s_fault_codeset_conv_error"),
    (0x1c00_0024, "nca_s_fault_object_not_found"),
    (0x1c00_0025, "nca_s_fault_no_client_stub"),
    (0x1c01_0001, "nca_s_comm_failure"),
    (0x1c01_0002, "nca_s_op_rng_error"),
    (0x1c01_0003, "nca_s_unk_if"),
    (0x1c01_0006, "nca_s_wrong_boot_time"),
    (0x1c01_0009, "nca_s_you_crashed"),
    (0x1c01_000b, "nca_s_proto_error"),
    (0x1c01_0013, "nca_s_out_args_too_big"),
    (0x1c01_0014, "nca_s_server_too_busy"),
    (0x1c01_0015, "nca_s_fault_string_too_long"),
    (0x1c01_0017, "nca_s_unsupported_type"),
    (0x8000_4002, "E_NOINTERFACE"),
    (0x8001_0001, "RPC_E_CALL_REJECTED"),
    (0x8001_0007, "RPC_E_SERVER_DIED"),
    (0x8001_0104, "RPC_E_FAULT"),
    (0x8001_0105, "RPC_E_SERVERFAULT"),
    (0x8001_0108, "RPC_E_DISCONNECTED"),
    (0x8001_0109, "RPC_E_RETRY"),
    (0x8001_010a, "RPC_E_SERVERCALL_RETRYLATER"),
    (0x8001_0110, "RPC_E_VERSION_MISMATCH"),
    (0x8001_0111, "RPC_E_INVALID_HEADER"),
    (0x8001_0112, "RPC_E_INVALID_EXTENSION"),
    (0x8001_0113, "RPC_E_INVALID_IPID"),
    (0x8001_0114, "RPC_E_INVALID_OBJECT"),
    (0x8001_011b, "RPC_E_ACCESS_DENIED"),
    (0x8001_011d, "RPC_E_INVALID_OBJREF"),
    (0x8004_01fd, "CO_E_OBJNOTCONNECTED"),
    (0x8007_0005, "E_ACCESSDENIED"),
];

/// The name of `number` in `table`.
pub fn name(table: Names, number: impl Into<u64>) -> Option<&'static str> {
    let number = number.into();
    table.iter().find(|(n, _)| *n == number).map(|(_, name)| *name)
}

/// The name of a number, or the number.
pub fn named(table: Names, number: u64) -> String {
    name(table, number).map_or_else(|| format!("0x{number:x}"), str::to_owned)
}
