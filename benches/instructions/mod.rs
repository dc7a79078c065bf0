//! The parts of the bench: what is run (`cases`, of `frame` and `layers`), how it is counted (`child`), what the car may need
//! (`estimate`), and how it is told (`report`).

pub(crate) mod cases;
pub(crate) mod child;
pub(crate) mod estimate;
pub(crate) mod frame;
pub(crate) mod layers;
pub(crate) mod pictures;
pub(crate) mod report;

use std::path::PathBuf;

/// What the command line says.
#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Parts of names; none is every case.
    pub(crate) only: Vec<String>,
    pub(crate) json: bool,
    pub(crate) estimate: bool,
    pub(crate) deep: bool,
    pub(crate) times_only: bool,
    /// A model folder.
    pub(crate) model: Option<PathBuf>,
    /// This process is to run one case.
    pub(crate) job: Option<Job>,
}

/// One case in a process of its own.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) name: String,
    /// Calls; none is as many as its time takes.
    pub(crate) calls: Option<u32>,
}

impl Options {
    /// Reads arguments; what cargo adds is passed over.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--bench" => {}
                "--json" => options.json = true,
                "--estimate" => options.estimate = true,
                "--deep" => options.deep = true,
                "--times" => options.times_only = true,
                "--model" => options.model = Some(value().into()),
                "--case" => options.job = Some(Job { name: value(), calls: None }),
                "--calls" => {
                    let calls = value().parse().expect("--calls wants a number");
                    options.job.as_mut().expect("--calls comes after --case").calls = Some(calls);
                }
                word if word.starts_with('-') => panic!("unknown option {word}"),
                word => options.only.push(word.to_owned()),
            }
        }
        options
    }

    /// The options that a child needs to make the same case.
    pub(crate) fn passed_on(&self) -> Vec<String> {
        let model = self.model.iter().flat_map(|path| ["--model".to_owned(), path.display().to_string()]);
        model.chain(self.deep.then(|| "--deep".to_owned())).collect()
    }
}
