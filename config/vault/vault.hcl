# HTTP is for this stack only, where nothing leaves the machine.
listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "127.0.0.1:8201"
  tls_disable     = true
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
