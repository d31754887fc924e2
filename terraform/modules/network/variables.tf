variable "name" {
  description = "Prefix of every name in this module."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "`name` must be at most 24 lowercase letters and digits, in groups joined by single hyphens, a letter first."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC, from /16 to /24."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = try(cidrnetmask(var.vpc_cidr) != "" && tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "`vpc_cidr` must be an IPv4 block from /16 to /24, such as 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "The two zones; null takes the first two of the region."
  type        = list(string)
  default     = null

  validation {
    condition     = var.availability_zones == null || length(distinct(coalesce(var.availability_zones, []))) == 2 && length(coalesce(var.availability_zones, [])) == 2
    error_message = "`availability_zones` must be two different zones, or null for the first two of the region."
  }
}

variable "public_subnet_cidrs" {
  description = "Addresses of the public subnets, one per zone."
  type        = list(string)
  default     = ["10.0.1.0/24", "10.0.2.0/24"]
  nullable    = false

  validation {
    condition     = length(var.public_subnet_cidrs) == 2 && length(distinct(var.public_subnet_cidrs)) == 2
    error_message = "`public_subnet_cidrs` must be two different blocks, one per zone."
  }

  validation {
    condition     = alltrue([for cidr in var.public_subnet_cidrs : can(cidrnetmask(cidr))])
    error_message = "`public_subnet_cidrs` must be IPv4 blocks, such as 10.0.1.0/24."
  }
}

variable "private_subnet_cidrs" {
  description = "Addresses of the private subnets, one per zone, which hold the database and the runner."
  type        = list(string)
  default     = ["10.0.10.0/24", "10.0.20.0/24"]
  nullable    = false

  validation {
    condition     = length(var.private_subnet_cidrs) == 2 && length(distinct(var.private_subnet_cidrs)) == 2
    error_message = "`private_subnet_cidrs` must be two different blocks, one per zone."
  }

  validation {
    condition     = alltrue([for cidr in var.private_subnet_cidrs : can(cidrnetmask(cidr))])
    error_message = "`private_subnet_cidrs` must be IPv4 blocks, such as 10.0.10.0/24."
  }

  validation {
    condition     = length(setintersection(var.private_subnet_cidrs, var.public_subnet_cidrs)) == 0
    error_message = "`private_subnet_cidrs` must not be among `public_subnet_cidrs`."
  }
}

variable "nat_mode" {
  description = "How private subnets reach the internet: none, single (one NAT gateway) or per-zone. The runner needs it to read a real LiveAnalytics, which has no private endpoint with a fixed name."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per-zone"], var.nat_mode)
    error_message = "`nat_mode` must be one of none, single, per-zone."
  }
}

variable "interface_endpoints" {
  description = "AWS services with a private endpoint, by the last part of the service's name."
  type        = set(string)
  default     = ["secretsmanager", "monitoring", "logs", "appconfigdata", "kms"]
  nullable    = false

  validation {
    condition     = alltrue([for service in var.interface_endpoints : contains(["appconfig", "appconfigdata", "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "secretsmanager", "sts", "timestream-influxdb"], service)])
    error_message = "`interface_endpoints` must be of appconfig, appconfigdata, ecr.api, ecr.dkr, kms, logs, monitoring, secretsmanager, sts, timestream-influxdb."
  }
}

variable "influxdb_port" {
  description = "Port of InfluxDB: the only one that clients reach."
  type        = number
  default     = 8086
  nullable    = false

  validation {
    condition     = floor(var.influxdb_port) == var.influxdb_port && var.influxdb_port >= 1024 && var.influxdb_port <= 65535
    error_message = "`influxdb_port` must be a whole number from 1024 to 65535."
  }
}

variable "client_security_groups" {
  description = "Further clients of InfluxDB: a name and the id of a security group in this VPC or a peered one."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.client_security_groups) : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "`client_security_groups` must map names to ids of the form sg-0123456789abcdef0."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` must be the ARN of a KMS key, such as arn:aws:kms:us-east-1:111122223333:key/…."
  }
}

variable "flow_log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653], var.flow_log_retention_days)
    error_message = "`flow_log_retention_days` must be one of 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
