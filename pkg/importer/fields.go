package importer

import (
	"maps"

	"github.com/phoenix-platform/phoenix/pkg/importer/internal/jsontree"
)

// field is what is known of one field of the older system's files.
type field struct {
	kinds []jsontree.Kind
	// later says that the system's own schema never had it, though scripts read it.
	later bool
}

func text() field  { return field{kinds: []jsontree.Kind{jsontree.String}} }
func count() field { return field{kinds: []jsontree.Kind{jsontree.Number}} }
func truth() field { return field{kinds: []jsontree.Kind{jsontree.Bool}} }
func list() field  { return field{kinds: []jsontree.Kind{jsontree.Array}} }
func block() field { return field{kinds: []jsontree.Kind{jsontree.Object}} }

// id is the number of a guest, which some files write as text.
func id() field { return field{kinds: []jsontree.Kind{jsontree.Number, jsontree.String}} }

func (f field) addedLater() field { f.later = true; return f }

// guestFields are the fields that containers and virtual machines share.
func guestFields(own map[string]field) map[string]field {
	out := map[string]field{
		"name": text(), "start_at_boot": truth(), "boot_order": count(), "boot_delay": count(),
		"memory_mb": count(), "cores": count(), "storage_pool": text(), "network_config": block(),
		"features": list(), "portainer_role": text(), "dependencies": list(), "firewall": block(),
		"template_snapshot_name": text(), "trigger_sync_on_completion": truth(), "tests": block(),
		"docker_stacks": list(), "dns_records": list(), "application_script": text(),
		"traefik_service":            block().addedLater(),
		"portainer_environment_name": text().addedLater(),
		"portainer_agent_hostname":   text().addedLater(),
		"swarm_role":                 text().addedLater(),
		"node_labels":                list().addedLater(),
		"bootstrap_ca_url":           text().addedLater(),
		"template_file":              text().addedLater(),
		"secondary_network_config":   block().addedLater(),
		"id_maps":                    list().addedLater(),
	}
	maps.Copy(out, own)
	return out
}

func lxcFields() map[string]field {
	return guestFields(map[string]field{
		"template": text(), "storage_size_gb": count(), "mac_address": text(), "gpu_assignment": text(),
		"unprivileged": truth(), "lxc_options": list(), "apparmor_profile": text(), "apparmor_manages_nesting": truth(),
		"enable_lifecycle_snapshots": truth(), "clone_from_ctid": id(), "vllm_engine_config": block(), "ports": list(),
		"pct_options": list(), "zfs_volumes": list(), "swap_mb": count(), "mount_points": list(), "health_check": block(),
		"is_template": truth().addedLater(),
	})
}

func vmFields() map[string]field {
	return guestFields(map[string]field{
		"vmid": id(), "is_template": truth(), "template_image": text(), "user_config": block(),
		"clone_from_vmid": id(), "disk_size_gb": count(), "volumes": list(),
	})
}

func stackFields() map[string]field {
	return map[string]field{
		"description": text(), "compose_file_path": text(), "environments": block(), "placement_constraints": list(),
		"nginx_proxy": block().addedLater(),
	}
}

// nestedFields are fields inside a guest whose types matter for what is made of
// them.
func nestedFields() map[string]map[string]field {
	return map[string]map[string]field{
		"network_config":           {"ip": text(), "gw": text(), "hwaddr": text(), "bridge": text()},
		"secondary_network_config": {"ip": text(), "gw": text(), "hwaddr": text(), "bridge": text()},
		"traefik_service":          {"name": text(), "port": id(), "scheme": text()},
		"firewall":                 {"enabled": truth(), "rules": list()},
	}
}

// certificateFields are the fields of an entry of the certificate manifest.
func certificateFields() map[string]field {
	return map[string]field{
		"common_name": text(), "sans": list(), "cert_path": text(), "key_path": text(), "owner": text(),
		"post_renewal_command": text(), "cert_type": text(), "include_ca": truth(), "guest_id": id(), "guest_type": text(),
	}
}

// fieldsOf returns the fields of an entry of each kind of file or, where a file
// is about one thing, of the file itself.
func fieldsOf(k kind) map[string]field {
	switch k {
	case lxcFile:
		return lxcFields()
	case vmFile:
		return vmFields()
	case stacksFile, stackFile:
		return stackFields()
	case manifestFile:
		return certificateFields()
	case endpointsFile:
		return map[string]field{"Name": text(), "URL": text(), "TLSSkipVerify": truth()}
	case hypervisorFile:
		return map[string]field{
			"domain_name": text(), "network": block(), "shared_volumes": block(), "firewall": block(),
			"proxmox_storage_ids": block(), "dns_server": block(), "step_ca": block(), "portainer_api": block(),
		}
	}
	return nil
}
