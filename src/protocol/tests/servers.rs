//! The interfaces of servers that stand beside shadow copies: the endpoint mapper and the Server
//! service. The stubs were written out by hand from \[C706\] chapter 14 and appendix L.

use super::*;
use crate::ndr::tower::Tower;

fn interface(uuid: &str, major: u16) -> Arc<Interface> {
    let registry = Registry::embedded().unwrap();
    registry.interface(Guid::try_parse(uuid).unwrap(), major).unwrap().clone()
}

fn epm() -> Arc<Interface> {
    interface("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3)
}

fn srvsvc() -> Arc<Interface> {
    interface("4b324fc8-1670-01d3-1278-5a47bf6ee188", 3)
}

/// Decodes a stub to its end.
#[track_caller]
fn whole(of: &Interface, opnum: u16, direction: Direction, stub: &[u8], order: Order) -> Decoded {
    let view = View::new(stub, &[], &[]);
    let context = Context { order, ..NDR };
    let decoded = of.decode(opnum, direction, view, 0, context).unwrap();
    assert_eq!((&decoded.stop, decoded.used as usize), (&None, stub.len()));
    assert_eq!(decoded.notes, []);
    decoded
}

#[track_caller]
fn shown(of: &Interface, opnum: u16, direction: Direction, stub: &str) -> String {
    fields(&whole(of, opnum, direction, &hex(stub), Order::Little).params).to_string()
}

/// FSRVP over TCP port 49664 of 10.0.0.1: five floors, 75 octets.
const TOWER: &str = "
    0500                                                    # floors
    1300 0d 3c65e0a8 4427 8943 a61d7373df8b2292 0100 0200 0000  # interface, version 1.0
    1300 0d 045d888a eb1c c911 9fe808002b104860 0200 0200 0000  # NDR 2.0
    0100 0b 0200 0000                                       # RPC, minor version
    0100 07 0200 c200                                       # TCP port
    0100 09 0400 0a000001                                   # IP address
";

const FLOORS: &str = r#"{"floors":[{"protocol":{"value":13,"name":"uuid"},"uuid":"a8e0653c-2744-4389-a61d-7373df8b2292","version":"1.0"},{"protocol":{"value":13,"name":"uuid"},"uuid":"8a885d04-1ceb-11c9-9fe8-08002b104860","version":"2.0"},{"protocol":{"value":11,"name":"ncacn"},"minor_version":0},{"protocol":{"value":7,"name":"tcp"},"port":49664},{"protocol":{"value":9,"name":"ip"},"address":"10.0.0.1"}]}"#;

#[test]
fn the_endpoint_mapper_tells_where_an_interface_is() {
    let request = format!(
        "01000000 00000000 0000 0000 0000000000000000       # object
         02000000 4b000000 4b000000 {TOWER} 00              # map_tower, padding
         00000000 00000000 0000 0000 0000000000000000       # entry_handle
         04000000                                           # max_towers"
    );
    let nil = "00000000-0000-0000-0000-000000000000";
    let handle = format!(r#""entry_handle":{{"attributes":0,"uuid":"{nil}"}}"#);
    let tower = format!(r#"{{"tower_length":75,"tower_octet_string":{FLOORS}}}"#);
    assert_eq!(
        shown(&epm(), 3, Direction::In, &request),
        format!(r#"{{"object":"{nil}","map_tower":{tower},{handle},"max_towers":4}}"#)
    );
    let response = format!(
        "00000000 00000000 0000 0000 0000000000000000       # entry_handle
         01000000                                           # num_towers
         04000000 00000000 01000000                         # max_count, offset, actual_count
         03000000 4b000000 4b000000 {TOWER} 00              # towers
         d6a0c916                                           # status"
    );
    assert_eq!(
        shown(&epm(), 3, Direction::Out, &response),
        format!(
            r#"{{{handle},"num_towers":1,"towers":[{tower}],"status":{{"value":"0x16c9a0d6","name":"ept_s_not_registered"}}}}"#
        )
    );
}

#[test]
fn an_entry_of_the_endpoint_map_has_a_note_beside_its_tower() {
    let response = format!(
        "00000000 00000000 0000 0000 0000000000000000       # entry_handle
         01000000                                           # num_ents
         01000000 00000000 01000000                         # max_count, offset, actual_count
         00000000 00000000 0000 0000 00000000               # object
         01000000                                           # tower
         00000000 03000000 686900 00                        # annotation, padding
         4b000000 4b000000 {TOWER} 00                       # tower
         00000000                                           # status"
    );
    let decoded = whole(&epm(), 2, Direction::Out, &hex(&response), Order::Little);
    let entries = text(decoded.param("entries").unwrap());
    let at = "a8e0653c-2744-4389-a61d-7373df8b2292 v1.0 at ncacn_ip_tcp:10.0.0.1[49664]";
    let nil = "00000000-0000-0000-0000-000000000000";
    assert_eq!(entries, format!(r#"[{{object={nil} tower={{{at}}} annotation="hi"}}]"#));
}

#[test]
fn a_tower_is_little_endian_in_a_stub_that_is_not() {
    let request = format!(
        "00000000                                           # object
         00000002 0000004b 0000004b {TOWER} 00              # map_tower, padding
         00000000 00000000 0000 0000 0000000000000000       # entry_handle
         00000004                                           # max_towers"
    );
    let decoded = whole(&epm(), 3, Direction::In, &hex(&request), Order::Big);
    let mut towers = Vec::new();
    Tower::all_in(decoded.param("map_tower").unwrap(), &mut towers);
    let bindings: Vec<_> = towers.iter().map(Tower::binding).collect();
    assert_eq!(bindings, [Some("ncacn_ip_tcp:10.0.0.1[49664]".to_owned())]);
}

#[test]
fn the_floors_of_a_tower_are_rows() {
    let request = format!("00000000 02000000 4b000000 4b000000 {TOWER}");
    let stub = hex(&request);
    let view = View::new(&stub, &[], &[]);
    let decoded = epm().decode(3, Direction::In, view, 0, NDR).unwrap();
    let mut tree = Tree::default();
    ndr::rows(&decoded, &|_| None, &mut tree);
    let rows: Vec<_> = tree
        .nodes()
        .iter()
        .filter(|node| node.name.starts_with("floor"))
        .map(|node| (&*node.value, node.span.start, node.span.end))
        .collect();
    assert_eq!(
        rows,
        [
            ("uuid (0x0d) a8e0653c-2744-4389-a61d-7373df8b2292 v1.0", 18, 43),
            ("uuid (0x0d) 8a885d04-1ceb-11c9-9fe8-08002b104860 v2.0", 43, 68),
            ("ncacn (0x0b) minor version 0", 68, 75),
            ("tcp (0x07) 49664", 75, 82),
            ("ip (0x09) 10.0.0.1", 82, 91),
        ]
    );
}

#[test]
fn the_server_service_lists_shares() {
    let request = "
        01000000 03000000 00000000 03000000 5c005c00 0000 0000 # ServerName, padding
        01000000 01000000                               # Level, discriminant
        02000000 00000000 00000000                      # Level1, EntriesRead, Buffer
        ffffffff 00000000                               # PreferedMaximumLength, ResumeHandle";
    assert_eq!(
        shown(&srvsvc(), 15, Direction::In, request),
        r#"{"ServerName":"\\\\","InfoStruct":{"Level":1,"ShareInfo":{"Level1":{"EntriesRead":0,"Buffer":null}}},"PreferedMaximumLength":4294967295,"ResumeHandle":null}"#
    );
    let response = "
        01000000 01000000                               # Level, discriminant
        01000000 02000000 02000000                      # Level1, EntriesRead, Buffer
        02000000                                        # max_count
        03000000 03000080 04000000                      # shi1_netname, shi1_type, shi1_remark
        05000000 00000000 00000000
        05000000 00000000 05000000 49005000 43002400 0000 0000 # IPC$, padding
        01000000 00000000 01000000 0000 0000            # no remark, padding
        02000000 00000000 02000000 64000000             # d
        02000000                                        # TotalEntries
        00000000                                        # ResumeHandle
        00000000                                        # return";
    assert_eq!(
        shown(&srvsvc(), 15, Direction::Out, response),
        r#"{"InfoStruct":{"Level":1,"ShareInfo":{"Level1":{"EntriesRead":2,"Buffer":[{"shi1_netname":"IPC$","shi1_type":{"value":2147483651,"flags":["STYPE_SPECIAL","0x3"],"name":null},"shi1_remark":""},{"shi1_netname":"d","shi1_type":{"value":0,"flags":[],"name":"STYPE_DISKTREE"},"shi1_remark":null}]}}},"TotalEntries":2,"ResumeHandle":null}"#
    );
}

#[test]
fn the_server_service_gives_what_it_knows_of_a_share() {
    let response = "
        f6010000 01000000                               # discriminant 502, ShareInfo502
        02000000 00000000 00000000                      # netname, type, remark
        00000000 ffffffff 01000000                      # permissions, max_uses, current_uses
        03000000 00000000                               # path, passwd
        04000000 04000000                               # reserved, security_descriptor
        02000000 00000000 02000000 64000000             # d
        03000000 00000000 03000000 64003a00 0000 0000   # d:, padding
        04000000 01000480                               # security_descriptor
        00000000                                        # return";
    assert_eq!(
        shown(&srvsvc(), 16, Direction::Out, response),
        r#"{"InfoStruct":{"ShareInfo502":{"shi502_netname":"d","shi502_type":{"value":0,"flags":[],"name":"STYPE_DISKTREE"},"shi502_remark":null,"shi502_permissions":0,"shi502_max_uses":4294967295,"shi502_current_uses":1,"shi502_path":"d:","shi502_passwd":null,"shi502_reserved":4,"shi502_security_descriptor":[1,0,4,128]}}}"#
    );
}

/// \[MS-SRVS\] 3.1.4: the number of each operation that travels.
#[test]
fn the_server_service_has_its_operations_where_the_document_has_them() {
    let documented = [
        (8, "NetrConnectionEnum"),
        (9, "NetrFileEnum"),
        (10, "NetrFileGetInfo"),
        (11, "NetrFileClose"),
        (12, "NetrSessionEnum"),
        (13, "NetrSessionDel"),
        (14, "NetrShareAdd"),
        (15, "NetrShareEnum"),
        (16, "NetrShareGetInfo"),
        (17, "NetrShareSetInfo"),
        (18, "NetrShareDel"),
        (19, "NetrShareDelSticky"),
        (20, "NetrShareCheck"),
        (21, "NetrServerGetInfo"),
        (22, "NetrServerSetInfo"),
        (23, "NetrServerDiskEnum"),
        (24, "NetrServerStatisticsGet"),
        (25, "NetrServerTransportAdd"),
        (26, "NetrServerTransportEnum"),
        (27, "NetrServerTransportDel"),
        (28, "NetrRemoteTOD"),
        (30, "NetprPathType"),
        (31, "NetprPathCanonicalize"),
        (32, "NetprPathCompare"),
        (33, "NetprNameValidate"),
        (34, "NetprNameCanonicalize"),
        (35, "NetprNameCompare"),
        (36, "NetrShareEnumSticky"),
        (37, "NetrShareDelStart"),
        (38, "NetrShareDelCommit"),
        (39, "NetrpGetFileSecurity"),
        (40, "NetrpSetFileSecurity"),
        (41, "NetrServerTransportAddEx"),
        (43, "NetrDfsGetVersion"),
        (44, "NetrDfsCreateLocalPartition"),
        (45, "NetrDfsDeleteLocalPartition"),
        (46, "NetrDfsSetLocalVolumeState"),
        (48, "NetrDfsCreateExitPoint"),
        (49, "NetrDfsDeleteExitPoint"),
        (50, "NetrDfsModifyPrefix"),
        (51, "NetrDfsFixLocalVolume"),
        (52, "NetrDfsManagerReportSiteInfo"),
        (53, "NetrServerTransportDelEx"),
        (54, "NetrServerAliasAdd"),
        (55, "NetrServerAliasEnum"),
        (56, "NetrServerAliasDel"),
        (57, "NetrShareDelEx"),
    ];
    let srvsvc = srvsvc();
    let ours: Vec<_> = srvsvc
        .operations
        .iter()
        .filter(|operation| !operation.name.starts_with("Opnum"))
        .map(|operation| (operation.opnum, &*operation.name))
        .collect();
    assert_eq!(ours, documented);
}
