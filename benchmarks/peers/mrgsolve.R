# The deterministic core in mrgsolve. Usage: Rscript mrgsolve.R FOLDER TOLERANCE
#
# FOLDER holds core.cpp (model), patients.csv (one row a patient), doses.csv (time, cmt, amt) and times.csv;
# states.csv and seconds.txt are written there. Best setting: LSODA, model compiled once, one call for all
# patients, observations only, plain data frame out. Compiling is not timed.
suppressPackageStartupMessages(library(mrgsolve))
given <- commandArgs(trailingOnly = TRUE)
at <- function(name) file.path(given[1], name)
tolerance <- as.numeric(given[2])
times <- read.csv(at("times.csv"))$time
model <- mread("core", project = given[1], quiet = TRUE)
model <- update(model, rtol = tolerance, atol = tolerance * 1e-3, maxsteps = 100000, end = -1, add = times)
patients <- read.csv(at("patients.csv"))
doses <- read.csv(at("doses.csv"), stringsAsFactors = FALSE)
doses$cmt <- vapply(doses$cmt, function(name) cmtn(model, name), numeric(1))
doses$evid <- 1
events <- as.ev(doses[order(doses$time), ])

solve_all <- function() mrgsim_ei(model, events, patients, obsonly = TRUE, output = "df")
invisible(solve_all())
began <- proc.time()[["elapsed"]]
found <- solve_all()
writeLines(format(proc.time()[["elapsed"]] - began, digits = 15), at("seconds.txt"))
write.csv(found[found$time %in% times, ], at("states.csv"), row.names = FALSE)
