output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, in the order of the zones."
  value       = [for zone in sort(local.zone_ids) : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, in the order of the zones."
  value       = [for zone in sort(local.zone_ids) : aws_subnet.private[zone].id]
}

output "influxdb_security_group_id" {
  description = "Security group of the InfluxDB instance."
  value       = aws_security_group.influxdb.id
}

output "client_security_group_id" {
  description = "Security group that lets its members reach InfluxDB and the private endpoints."
  value       = aws_security_group.clients.id
}

output "endpoint_security_group_id" {
  description = "Security group of the private endpoints of AWS services."
  value       = aws_security_group.endpoints.id
}

output "nat_public_ips" {
  description = "Public addresses that leave through NAT; empty without NAT."
  value       = [for address in aws_eip.nat : address.public_ip]
}

output "flow_log_group_name" {
  description = "Log group of the VPC's flow logs."
  value       = aws_cloudwatch_log_group.flow.name
}
