"""VMs whose maintenance has a mechanism of its own, and is left to that: on dedicated hosts, or of isolated sizes."""

from shared.domain.maintenance import Vm

# learn.microsoft.com, virtual-machines/isolation (28 April 2026), without those whose isolation has ended.
_ISOLATED = (
    "E192is_v6 E192ids_v6 E104i_v5 E104id_v5 E104is_v5 E104ids_v5 E112ias_v5 E112iads_v5 E80is_v4 E80ids_v4"
    " E96ias_v4 E112ibs_v5 E112ibds_v5 EC96ias_v5 EC96iads_v5 HB120rs_v3 HB176rs_v4 HB368rs_v5 HX176rs"
    " M832is_16_v3 M832ids_16_v3 M192is_v2 M192ids_v2 M192ims_v2 M192idms_v2 NC64as_T4_v3 NC96ads_A100_v4"
    " NC80adis_H100_v5 ND128isr_NDR_GB200_v6 ND128isr_NDR_GB300_v6 ND96isr_H100_v5 ND96isr_H200_v5"
    " ND96isr_MI300X_v5 NG32ads_V620_v1 NG32adms_V620_v1 NV72ads_A10_v5"
)
_ISOLATED_SIZES = frozenset(f"standard_{size}".lower() for size in _ISOLATED.split())


def own_mechanism(vm: Vm) -> str:
    """Why a VM's maintenance is not Baton's, and what to do about it; `""` where it is.

    Source: learn.microsoft.com, virtual-machines/maintenance-configurations: scope Host is of isolated VMs,
    isolated scale sets and dedicated hosts.
    """
    host = vm.dedicated_host or (vm.view.assigned_host if vm.view else "")
    if host:
        name = host.rsplit("/", 1)[-1]
        return (
            f"it is placed on dedicated hosts ({name}), whose maintenance is left to a maintenance configuration"
            " of scope Host: assign one to the host, or redeploy the VM yourself"
        )
    if vm.vm_size.lower() in _ISOLATED_SIZES:
        return (
            f"its size {vm.vm_size} is isolated, and its maintenance is left to a maintenance configuration of"
            " scope Host: assign one to the VM or its scale set, or redeploy the VM yourself"
        )
    return ""
