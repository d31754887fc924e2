variable "name" {
  description = "Prefix of every name in this module, the alarms' names among them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "`name` must be at most 24 lowercase letters and digits, in groups joined by single hyphens, a letter first."
  }
}

variable "environments" {
  description = "AppConfig environments, each watched by the five alarms."
  type        = set(string)
  default     = ["staging"]
  nullable    = false

  validation {
    condition     = length(var.environments) > 0 && alltrue([for name in var.environments : can(regex("^[a-z][a-z0-9-]{0,63}$", name))])
    error_message = "`environments` must be at least one name of lowercase letters, digits and hyphens, a letter first, of at most 64 characters."
  }
}

variable "create_initial_flags" {
  description = "Make the first version of the flags: all traffic on Timestream. Later versions are not Terraform's."
  type        = bool
  default     = true
  nullable    = false
}

variable "strategies" {
  description = "Deployment strategies: how a new version of the flags spreads over the hosts that poll, and for how long the alarms can still take it back. The share of requests is a flag, not this."
  type = map(object({
    duration_minutes = number
    growth_percent   = number
    growth_type      = optional(string, "LINEAR")
    bake_minutes     = number
  }))
  default = {
    instant = { duration_minutes = 0, growth_percent = 100, bake_minutes = 10 }
    canary  = { duration_minutes = 20, growth_percent = 10, growth_type = "EXPONENTIAL", bake_minutes = 10 }
    gradual = { duration_minutes = 60, growth_percent = 20, bake_minutes = 30 }
  }
  nullable = false

  validation {
    condition     = length(var.strategies) > 0
    error_message = "`strategies` must have at least one strategy."
  }

  validation {
    condition     = alltrue([for strategy in values(var.strategies) : floor(strategy.duration_minutes) == strategy.duration_minutes && strategy.duration_minutes >= 0 && strategy.duration_minutes <= 1440])
    error_message = "`strategies` must have a `duration_minutes` that is a whole number from 0 to 1440."
  }

  # A version that does not bake cannot be taken back by an alarm.
  validation {
    condition     = alltrue([for strategy in values(var.strategies) : floor(strategy.bake_minutes) == strategy.bake_minutes && strategy.bake_minutes >= 5 && strategy.bake_minutes <= 1440])
    error_message = "`strategies` must have a `bake_minutes` that is a whole number from 5 to 1440: alarms are only heeded until a version has baked."
  }

  validation {
    condition     = alltrue([for strategy in values(var.strategies) : strategy.growth_percent >= 1 && strategy.growth_percent <= 100])
    error_message = "`strategies` must have a `growth_percent` from 1 to 100."
  }

  validation {
    condition     = alltrue([for strategy in values(var.strategies) : contains(["LINEAR", "EXPONENTIAL"], strategy.growth_type)])
    error_message = "`strategies` must have a `growth_type` of LINEAR or EXPONENTIAL."
  }
}

variable "metric_namespace" {
  description = "Namespace of the application's own metrics: RequestCount, ErrorCount, Latency, ConnectionFailures and ComparisonMismatch, each with the dimension Backend, of timestream or influxdb."
  type        = string
  default     = "ONS/TrafficSwitching"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9._/#:-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "`metric_namespace` must be 1 to 255 letters, digits and ._/#:-, and must not begin with AWS/."
  }
}

variable "period_seconds" {
  description = "One period of the rates and latencies. Connection failures are always counted over five minutes."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = contains([60, 300], var.period_seconds)
    error_message = "`period_seconds` must be one of 60, 300."
  }
}

variable "notification_topic_arns" {
  description = "Topics that are told when an alarm fires and when it ends."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.notification_topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))])
    error_message = "`notification_topic_arns` must be ARNs of SNS topics, such as arn:aws:sns:us-east-1:111122223333:name."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the flags."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` must be the ARN of a KMS key, such as arn:aws:kms:us-east-1:111122223333:key/…."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
