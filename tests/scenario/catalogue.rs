//! The sequences of the rule catalogue: those that are notation are written and read back.

use super::{common, read};

#[test]
fn the_sequences_of_the_catalogue_are_read_back() {
    let Some(path) = common::shared("knowledge/fsrvp-rules.tsv") else { return };
    let text = std::fs::read_to_string(path).expect("the catalogue can be read");
    let mut lines = text.lines();
    let head: Vec<_> = lines.next().expect("a head").split('\t').collect();
    let column = |name| head.iter().position(|of| *of == name).expect("the column is there");
    let (mut good, mut prose, mut wrong) = (0, Vec::new(), Vec::new());
    for line in lines {
        let cells: Vec<_> = line.split('\t').collect();
        for which in ["counterexample", "near_miss"] {
            let cell = cells[column(which)];
            let place = format!("{} {which}", cells[0]);
            if cell.starts_with("none: internal") {
                continue;
            }
            match read::check(cell) {
                Ok(_) => good += 1,
                Err(why) if why.starts_with("scenario:") => {
                    prose.push(format!("{place}: {why}\n      {cell}"));
                }
                Err(why) => wrong.push(format!("{place}: {why}\n      {cell}")),
            }
        }
    }
    println!("{good} read back, {} not notation:\n{}", prose.len(), prose.join("\n"));
    assert!(good >= 600, "only {good} are read as notation");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
