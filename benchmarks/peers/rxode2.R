# The deterministic core in rxode2. Usage: Rscript rxode2.R FOLDER TOLERANCE
#
# FOLDER holds core.rx (model), patients.csv (one row a patient), doses.csv (time, cmt, amt) and times.csv;
# states.csv and seconds.txt are written there. Best setting: liblsoda, model compiled once, one call for all
# patients, one thread, plain data frame out. Compiling is not timed.
suppressPackageStartupMessages(library(rxode2))
given <- commandArgs(trailingOnly = TRUE)
at <- function(name) file.path(given[1], name)
tolerance <- as.numeric(given[2])
model <- rxode2(paste(readLines(at("core.rx")), collapse = "\n"))
patients <- read.csv(at("patients.csv"))
patients$ID <- NULL
doses <- read.csv(at("doses.csv"), stringsAsFactors = FALSE)
times <- read.csv(at("times.csv"))$time

events <- et(times)
for (i in seq_len(nrow(doses))) {
  events <- et(events, time = doses$time[i], cmt = doses$cmt[i], amt = doses$amt[i])
}
setRxThreads(1L)
solve_all <- function() {
  rxSolve(
    model, params = patients, events = events, method = "liblsoda", rtol = tolerance,
    atol = tolerance * 1e-3, cores = 1L, returnType = "data.frame", addDosing = FALSE
  )
}
invisible(solve_all())
began <- proc.time()[["elapsed"]]
found <- solve_all()
writeLines(format(proc.time()[["elapsed"]] - began, digits = 15), at("seconds.txt"))
write.csv(found[found$time %in% times, ], at("states.csv"), row.names = FALSE)
