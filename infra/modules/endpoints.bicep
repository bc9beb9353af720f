// Private endpoints of storage, and of the bus where it can have one, with the names that lead to them.
param name string
param location string
param tags object
param vnetId string
param subnetId string
param storageId string
@description('Empty: the bus stays reachable from outside, for Entra identities alone.')
param busId string

var all = [
  {
    service: 'blob'
    target: storageId
    zone: 'privatelink.blob.${environment().suffixes.storage}'
  }
  {
    service: 'table'
    target: storageId
    zone: 'privatelink.table.${environment().suffixes.storage}'
  }
  {
    service: 'namespace'
    target: busId
    zone: 'privatelink.servicebus.windows.net'
  }
]
var wanted = filter(all, one => !empty(one.target))

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for one in wanted: {
    name: one.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (one, i) in wanted: {
    parent: zones[i]
    name: 'vnet-${name}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: vnetId }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for one in wanted: {
    name: 'pep-${name}-${one.service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: one.service
          properties: {
            privateLinkServiceId: one.target
            groupIds: [one.service]
          }
        }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (one, i) in wanted: {
    parent: endpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: one.service, properties: { privateDnsZoneId: zones[i].id } }]
    }
  }
]
