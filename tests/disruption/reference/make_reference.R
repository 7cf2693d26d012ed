# Reads series.csv; writes predicted.csv (MASS::rlm) and effect.csv (lm, clustered errors by formula). Run in this folder.
suppressMessages(library(MASS))
options(digits = 15)
series <- read.csv("series.csv")
series$date <- as.Date(paste0(series$month, "-01"))
number <- function(x) ifelse(is.na(x), "NA", formatC(x, digits = 13, format = "g", width = 1))

# rlm's own end of iteration (acc) is 1e-4: here it goes on until nothing changes.
predicted <- NULL
for (shape in unique(series$shape)) for (district in 0:3) {
  one <- series[series$shape == shape & series$district == district, ]
  known <- ifelse(!is.na(one$count) & one$count / mean(one$count, na.rm = TRUE) >= 0.5, one$count, NA)
  one$filled <- approx(seq_along(known), known, seq_along(known), rule = 2)$y
  terms <- if (sum(!is.na(one$count)) >= 36) filled ~ factor(months(date)) + as.numeric(date) else filled ~ as.numeric(date)
  fit <- function(...) pmax(0, predict(rlm(terms, data = one, ...)))
  predicted <- rbind(predicted, data.frame(shape, district, month = one$month,
                                           predicted = fit(maxit = 1000, acc = 1e-12), as_published = fit(maxit = 100)))
}
predicted$predicted <- number(predicted$predicted)
predicted$as_published <- number(predicted$as_published)
write.csv(predicted, "predicted.csv", row.names = FALSE, quote = FALSE)

# Levels of districts as dummies; they are nested in the clusters, so fixest counts them in no degrees of freedom.
effects <- NULL
for (shape in unique(series$shape)) for (many in c(TRUE, FALSE)) {
  rows <- series[series$shape == shape & !is.na(series$count) & (many | series$district == 1), ]
  season <- length(unique(rows$month)) >= 36
  terms <- c("as.numeric(date)", if (season) "factor(months(date))", "tagged", if (many) "factor(district)")
  fit <- lm(reformulate(terms, "count"), data = rows)
  X <- model.matrix(fit)
  stopifnot(!anyNA(coef(fit)))
  beta <- unname(coef(fit)["tagged"])
  expected <- pmax(0, fitted(fit) - beta * rows$tagged)
  if (many) {
    bread <- solve(crossprod(X))
    scores <- rowsum(X * resid(fit), rows$district)
    n <- nrow(X); g <- nrow(scores); k <- ncol(X) - (g - 1)
    V <- g / (g - 1) * (n - 1) / (n - k) * bread %*% crossprod(scores) %*% bread
    p <- 2 * pt(abs(beta) / sqrt(V["tagged", "tagged"]), g - 1, lower.tail = FALSE)
  } else {
    p <- summary(fit)$coefficients["tagged", "Pr(>|t|)"]
  }
  on <- rows$tagged == 1
  rest <- lm(reformulate(setdiff(terms, "tagged"), "count"), data = rows[!on, ])
  undisrupted <- pmax(0, predict(rest, rows))
  effects <- rbind(effects, data.frame(shape, districts = if (many) 4 else 1,
    b = number(-mean(expected[on] - rows$count[on]) / mean(expected[on])), p = number(p),
    undisrupted_tagged = number(sum(undisrupted[on])), undisrupted_all = number(sum(undisrupted)),
    expected_tagged = number(sum(expected[on])), expected_all = number(sum(expected))))
}
write.csv(effects, "effect.csv", row.names = FALSE, quote = FALSE)
