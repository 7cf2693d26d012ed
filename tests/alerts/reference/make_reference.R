# Reads series.csv; writes ears.csv, farrington.csv and dates.csv, what R's surveillance says of it. Run in this folder.
suppressMessages(library(surveillance))
options(digits = 15)
series <- read.csv("series.csv")
names_of <- setdiff(names(series), "week")

number <- function(x) ifelse(is.na(x), "NA", formatC(x, digits = 13, format = "g", width = 1))

# EARS: weeks 12 to 70, which all three methods can judge.
ears <- NULL
for (name in names_of) {
  rows <- data.frame(series = name, week = 12:70)
  for (sigma in c(0, 0.5)) for (method in c("C1", "C2", "C3")) {
    made <- earsC(sts(series[[name]], frequency = 52),
                  control = list(range = 12:70, method = method, minSigma = sigma, alpha = NULL))
    rows[[paste0(method, "_", sigma)]] <- number(upperbound(made)[, 1])
    rows[[paste0(method, "_", sigma, "_alarm")]] <- as.integer(alarms(made)[, 1])
  }
  ears <- rbind(ears, rows)
}
other <- earsC(sts(series$outbreaks, frequency = 52),
               control = list(range = 12:70, method = "C2", baseline = 5, alpha = 0.01))
write.csv(ears, "ears.csv", row.names = FALSE, quote = FALSE)
write.csv(data.frame(week = 12:70, upper = number(upperbound(other)[, 1])), "ears_baseline_5.csv",
          row.names = FALSE, quote = FALSE)

# Farrington flexible: weeks 268 to 313.
weeks <- 268:313
noufaily <- list(b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, weightsThreshold = 2.58, alpha = 0.01)
settings <- list(
  delta = c(noufaily, thresholdMethod = "delta", pThresholdTrend = 0.05),
  nbPlugin = c(noufaily, thresholdMethod = "nbPlugin", pThresholdTrend = 1),
  muan = c(noufaily, thresholdMethod = "muan", pThresholdTrend = 0.05),
  classic = list(b = 4, w = 3, noPeriods = 1, pastWeeksNotIncluded = 3, weightsThreshold = 1, alpha = 0.05,
                 thresholdMethod = "delta", powertrans = "1/2", pThresholdTrend = 0.05),
  plain = list(b = 3, w = 2, noPeriods = 7, pastWeeksNotIncluded = 10, reweight = FALSE, alpha = 0.01, trend = FALSE,
               thresholdMethod = "delta", powertrans = "none")
)
ask <- function(counts, setting, limit, ...) {
  control <- c(setting, list(range = weeks, limit54 = limit, glmWarnings = FALSE))
  suppressWarnings(farringtonFlexible(sts(counts, frequency = 52, ...), control = control))
}
farrington <- NULL
for (name in names_of) for (setting in names(settings)) {
  # limit54 makes the bound NA: bounds are asked for without it, alarms with it.
  bounds <- ask(series[[name]], settings[[setting]], c(0, 4))
  judged <- ask(series[[name]], settings[[setting]], c(5, 4))
  farrington <- rbind(farrington, data.frame(
    setting = setting, series = name, week = weeks,
    upper = number(upperbound(bounds)[, 1]), alarm = as.integer(alarms(judged)[, 1]),
    expected = number(control(bounds)$expected[, 1]), trend = as.integer(control(bounds)$trend[, 1]),
    dispersion = number(control(bounds)$phiVector[, 1])))
}
write.csv(farrington, "farrington.csv", row.names = FALSE, quote = FALSE)

# The same series with dates: reference weeks by calendar date, not 52 positions back.
dated <- NULL
for (name in c("seasonal", "weeks_53")) for (setting in c("delta", "nbPlugin")) {
  epoch <- as.numeric(as.Date("2014-12-29") + 7 * (series$week - 1))
  by_date <- ask(series[[name]], settings[[setting]], c(5, 4), epoch = as.Date(epoch, origin = "1970-01-01"))
  by_place <- ask(series[[name]], settings[[setting]], c(5, 4))
  dated <- rbind(dated, data.frame(
    series = name, setting = setting, epoch_as_date = by_date@epochAsDate,
    alarms_by_date = sum(alarms(by_date)), alarms_by_place = sum(alarms(by_place)),
    differ = sum(alarms(by_date) != alarms(by_place)),
    largest_relative = number(max(abs(upperbound(by_date) / upperbound(by_place) - 1), na.rm = TRUE))))
}
write.csv(dated, "dates.csv", row.names = FALSE, quote = FALSE)
cat("R", as.character(getRversion()), "surveillance", as.character(packageVersion("surveillance")), "\n")
