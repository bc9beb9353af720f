// Baton in a resource group of its own, with its rights on the subscriptions whose VMs it looks after.
//   azd up
//   az deployment sub create --location westeurope --template-file infra/main.bicep --parameters emailTo="['oncall@example.com']"
// docs/deploy.md says more. Into a group that is there already: baton.bicep, and the rights by rights/.
targetScope = 'subscription'

@description('Part of every name.')
@minLength(2)
@maxLength(16)
param name string = 'baton'

@description('Where everything is. Flex Consumption must be offered there: az functionapp list-flexconsumption-locations.')
param location string = deployment().location

@description('The resource group that is made.')
param resourceGroupName string = 'rg-${name}'

@description('Ids of the subscriptions whose VMs Baton looks after. Empty: all that its identity can read; then grant it rights yourself, by rights/.')
param subscriptions string[] = [subscription().subscriptionId]

@description('dryRun: plan, record and announce, never act; Baton then has not even the right to act. live: redeploy. paused: finish what runs, start nothing.')
@allowed(['dryRun', 'live', 'paused'])
param mode string = 'dryRun'

@description('Whether policies may have patches assessed and installed. The rights for it are granted only then, and only outside dryRun.')
param patching bool = false

@description('Who gets every mail of Baton, and the alarms about Baton.')
@minLength(1)
param emailTo string[]

@description('Resource id of a verified domain of Communication Services Email of your own. Empty: an Azure-managed domain is made.')
param emailDomainId string = ''

@description('The sender. Needed with a domain or a relay of your own.')
param emailFrom string = ''

@description('A relay instead of Communication Services: smtps://user:password@host, better a Key Vault reference to it.')
@secure()
param emailUrl string = ''

@description('Where Communication Services keeps mail at rest.')
param emailDataLocation string = 'Europe'

@description('Resource id of an Event Grid topic with the input schema CloudEvents 1.0, to which Baton sends the lifecycle events of VMs. Empty: none.')
param eventsTopicId string = ''

@description('A webhook for them instead; its address is kept from people, for it often holds a key. Better a Key Vault reference.')
@secure()
param eventsUrl string = ''

@description('By which the webhook knows Baton: whsec_ and Base64, better a Key Vault reference to it.')
@secure()
param eventsSecret string = ''

@description('Object ids of groups or people who write policies.')
param authors string[] = []

@description('Object ids of groups or people who also approve rollouts and mend rows.')
param operators string[] = []

@description('Further settings of the app, such as BATON_DISCOVERY_SCHEDULE.')
param settings object = {}

@description('Puts storage, and the bus if it is Premium, behind private endpoints in a virtual network of its own.')
param privateNetwork bool = false

@description('Private endpoints for the bus need Premium, which costs some 70 times as much.')
@allowed(['Standard', 'Premium'])
param busSku string = 'Standard'

@description('Whether the storage account, which remembers what was done, is locked against deletion.')
param lock bool = true

@description('Of a released package, to be deployed without a checkout. Empty: deploy it by azd or func.')
param packageUri string = ''

@description('Of an instance, beside the 272 MB that the platform adds for its host. The worker takes some 200 MB. With 512 comes a quarter of a core, with 2048 a whole one, at four times the price: for fleets of many thousands.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Of every resource.')
param tags object = {}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module baton 'baton.bicep' = {
  name: 'baton'
  scope: group
  params: {
    name: name
    location: location
    subscriptions: subscriptions
    mode: mode
    emailTo: emailTo
    emailDomainId: emailDomainId
    emailFrom: emailFrom
    emailUrl: emailUrl
    emailDataLocation: emailDataLocation
    eventsTopicId: eventsTopicId
    eventsUrl: eventsUrl
    eventsSecret: eventsSecret
    authors: authors
    operators: operators
    settings: settings
    privateNetwork: privateNetwork
    busSku: busSku
    lock: lock
    packageUri: packageUri
    instanceMemoryMB: instanceMemoryMB
    tags: tags
  }
}

module rights 'rights/subscription.bicep' = [
  for id in subscriptions: {
    name: 'baton-rights'
    scope: subscription(id)
    params: {
      principalId: baton.outputs.principalId
      act: mode != 'dryRun'
      patching: patching
    }
  }
]

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = baton.outputs.functionAppName
output BATON_PRINCIPAL_ID string = baton.outputs.principalId
// What ./baton doctor and the other commands need of the app's settings.
output BATON_MODE string = mode
output BATON_SUBSCRIPTIONS string = join(subscriptions, ',')
output BATON_TABLES__endpoint string = baton.outputs.tablesEndpoint
output BATON_BUS__fullyQualifiedNamespace string = baton.outputs.busNamespace
output BATON_EMAIL_URL string = baton.outputs.emailUrl
output BATON_EMAIL_FROM string = baton.outputs.emailFrom
