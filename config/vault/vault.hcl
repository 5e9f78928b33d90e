# HTTP is for this stack only, where nothing leaves the machine.
listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "127.0.0.1:8201"
  tls_disable     = true

  # Numbers without names or values of secrets; the front door does not let anybody ask.
  telemetry {
    unauthenticated_metrics_access = true
  }
}

telemetry {
  prometheus_retention_time = "1m"
  disable_hostname          = true
}

storage "raft" {
  path    = "/vault/file"
  node_id = "monolith"
  # Itself the leader after 2 seconds instead of 10; the default is for servers far apart.
  performance_multiplier = 1
}

# One node: names instead of addresses, so a new container with a new address is the same node.
api_addr     = "http://vault.service.consul:8200"
cluster_addr = "https://127.0.0.1:8201"

# Raft maps its file into memory, all of which would be locked.
disable_mlock = true
ui            = true
log_level     = "warn"
