use super::*;

/// A text or a key behind its length, big-endian.
fn counted(octets: &[u8]) -> Vec<u8> {
    [&u16::try_from(octets.len()).unwrap().to_be_bytes(), octets].concat()
}

/// An entry of version 2 without its size: `cifs/fs1@LAB`, key version 3, RC4, and a key of `0x11`.
fn sample() -> Vec<u8> {
    [
        &[0, 2][..],               // components
        &counted(b"LAB"),          // realm
        &counted(b"cifs"),         // the first
        &counted(b"fs1"),          // the second
        &[0, 0, 0, 3],             // NT-SRV-HST
        &[0x6b, 0x03, 0x2d, 0xe3], // time stamp
        &[3],                      // key version
        &[0, 23],                  // rc4-hmac
        &counted(&[0x11; 16]),     // key
    ]
    .concat()
}

/// A file of version 2 with these entries.
fn file(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![5, 2];
    for entry in entries {
        file.extend(u32::try_from(entry.len()).unwrap().to_be_bytes());
        file.extend(entry);
    }
    file
}

/// The same entry in a file of version 1.
fn old(order: Order) -> Vec<u8> {
    let number = |octets: &[u8]| match order {
        Order::Big => octets.to_vec(),
        Order::Little => octets.iter().rev().copied().collect(),
    };
    let counted = |octets: &[u8]| {
        [number(&[0, u8::try_from(octets.len()).unwrap()]), octets.to_vec()].concat()
    };
    let entry = [
        number(&[0, 3]), // components, with the realm
        counted(b"LAB"),
        counted(b"cifs"),
        counted(b"fs1"),
        number(&[0x6b, 0x03, 0x2d, 0xe3]), // time stamp
        vec![3],                           // key version
        number(&[0, 23]),                  // rc4-hmac
        counted(&[0x11; 16]),              // key
    ]
    .concat();
    let size = number(&[0, 0, 0, u8::try_from(entry.len()).unwrap()]);
    [vec![5, 1], size, entry].concat()
}

/// Principal, type, version and the first octet of the key.
fn said(key: &KerberosKey) -> (&str, i32, Option<u32>, u8) {
    (key.principal.as_deref().unwrap(), key.etype, key.kvno, key.key.octets()[0])
}

fn error(octets: &[u8]) -> String {
    read("k", octets).unwrap_err().to_string()
}

#[test]
fn both_versions_are_read() {
    let expected = ("cifs/fs1@LAB", 23, Some(3), 0x11);
    for octets in [file(&[sample()]), old(Order::Little), old(Order::Big)] {
        let found = read("lab.keytab", &octets).unwrap();
        assert_eq!(found.keys.iter().map(said).collect::<Vec<_>>(), [expected]);
        assert_eq!(found.keys[0].key.octets().len(), 16);
        assert_eq!(found.keys[0].from, "lab.keytab");
        assert_eq!(found.damaged, []);
        assert!(is_keytab(&octets));
    }
}

#[test]
fn a_long_key_version_counts_unless_it_is_zero() {
    let with = |kvno: u32| {
        let entry = [sample(), kvno.to_be_bytes().to_vec()].concat();
        read("k", &file(&[entry])).unwrap().keys[0].kvno
    };
    assert_eq!((with(0), with(259)), (Some(3), Some(259)));
    // What is too short to be one is padding.
    let entry = [sample(), vec![9; 3]].concat();
    assert_eq!(read("k", &file(&[entry])).unwrap().keys[0].kvno, Some(3));
}

#[test]
fn deleted_entries_are_passed_over_and_a_size_of_zero_ends_the_file() {
    let hole = [&(-7i32).to_be_bytes()[..], &[0; 7]].concat();
    let mut octets = file(&[]);
    octets.extend(&hole);
    octets.extend(&file(&[sample()])[2..]);
    octets.extend([0; 4]);
    octets.extend(b"what is behind the end");
    let found = read("k", &octets).unwrap();
    assert_eq!((found.keys.len(), found.damaged), (1, vec![]));
}

#[test]
fn what_ends_early_is_told() {
    for whole in [file(&[sample()]), old(Order::Little), old(Order::Big)] {
        for len in 0..whole.len() {
            let message = error(&whole[..len]);
            let expected = match len {
                0 => "k: expected a keytab, found nothing: the file is empty".to_owned(),
                1 => {
                    "k: expected a keytab, which begins with the octets 05 02 (or 05 01)".to_owned()
                }
                2 => "k: there is no key in this keytab".to_owned(),
                3..6 => format!(
                    "k, offset 2: expected the size of an entry, 4 octets, found the last {} of the \
                     file",
                    len - 2
                ),
                _ => format!(
                    "k, offset 2: expected an entry of {} octets, found {} to the end of the file",
                    whole.len() - 6,
                    len - 6
                ),
            };
            assert_eq!(message, expected, "{len}");
        }
    }
}

#[test]
fn an_entry_that_ends_early_is_told_and_the_next_is_read() {
    let whole = sample();
    for len in 0..whole.len() {
        let found = if len == 0 {
            // A size of zero is the end of the file.
            continue;
        } else {
            read("k", &file(&[whole[..len].to_vec(), whole.clone()])).unwrap()
        };
        assert_eq!(found.keys.len(), 1, "{len}");
        let [damaged] = &found.damaged[..] else { panic!("{len}: {:?}", found.damaged) };
        let damaged = damaged.to_string();
        assert!(damaged.starts_with("k, offset 2: expected "), "{damaged}");
        let end = format!(", found the end of an entry of {len} octets");
        assert!(damaged.ends_with(&end), "{damaged}");
    }
}

#[test]
fn every_length_is_checked() {
    // Where the length is, and what is said if it is too long.
    let places = [
        (2, "a realm at offset 8"),
        (7, "a component of the name at offset 13"),
        (13, "a component of the name at offset 19"),
        (29, "a key at offset 35"),
    ];
    for (at, what) in places {
        let mut entry = sample();
        entry[at..at + 2].copy_from_slice(&[0xff, 0xff]);
        let message = error(&file(&[entry]));
        let expected =
            format!("k, offset 2: expected {what}, found the end of an entry of 47 octets");
        assert_eq!(message, expected);
    }
    for count in [0, 17, 0xffff_u16] {
        let mut entry = sample();
        entry[..2].copy_from_slice(&count.to_be_bytes());
        let expected = "k, offset 2: expected a name of 1 to 16 components at offset 6";
        assert_eq!(error(&file(&[entry])), expected);
    }
    let mut entry = sample();
    entry[30] = 15;
    let expected =
        "k, offset 2: expected a key of 16 octets for encryption type 23 at offset 35, found 15";
    assert_eq!(error(&file(&[entry.clone()])), expected);
    // One of somebody's own may have any length, but not none.
    entry[27..29].copy_from_slice(&(-128i16).to_be_bytes());
    let found = read("k", &file(&[entry.clone()])).unwrap();
    assert_eq!(said(&found.keys[0]), ("cifs/fs1@LAB", -128, Some(3), 0x11));
    entry[30] = 0;
    assert!(
        error(&file(&[entry])).ends_with("expected a key of 1 to 256 octets at offset 35, found 0")
    );
    for size in [0x7fff_ffff_u32, 0x8000_0000, 0x8000_0001] {
        let octets = [&[5, 2][..], &size.to_be_bytes(), &sample()].concat();
        assert!(error(&octets).contains(" octets, found 47 to the end of the file"));
    }
}

#[test]
fn other_files_are_none() {
    assert_eq!(error(&[5, 3, 0]), "k: expected a keytab of version 1 or 2, found version 3");
    let expected = "k: expected a keytab, which begins with the octets 05 02 (or 05 01)";
    assert_eq!(error(b"[[password]]"), expected);
    assert!(!is_keytab(b"[[password]]"));
}

#[test]
fn the_keytab_of_the_lab_is_read() {
    let octets = include_bytes!("../../../../captures/fslab-all.keytab");
    let found = read("fslab-all.keytab", octets).unwrap();
    assert_eq!(found.damaged, []);
    let said: Vec<_> = found.keys.iter().map(said).collect();
    let member: Vec<_> = said.iter().filter(|(name, ..)| name.starts_with("FSM1$@")).collect();
    let etypes: Vec<_> = member.iter().map(|(_, etype, ..)| *etype).collect();
    assert_eq!(etypes, [18, 17, 23]);
    assert_eq!(found.keys.len(), 16);
}

#[test]
fn damage_without_end_is_told_a_few_times() {
    let found = read("k", &file(&[vec![vec![0; 3]; 100], vec![sample()]].concat())).unwrap();
    assert_eq!((found.keys.len(), found.damaged.len()), (1, MAX_DAMAGED));
}
